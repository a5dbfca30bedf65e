import ConnectionPool
import RigModel
import Testing
import Threading

@Suite("Results cache: what it keeps")
struct ResultCacheCoreTests {
    private var cache = ResultCacheCore(maxBytes: 1 << 20)
    private var now = MonotonicInstant(nanoseconds: 1_000_000_000)

    private static func read(_ id: Int64) -> SQLStatement {
        SQLStatement("select * from t where id = $1", [.int(id)], role: .read)
    }

    private static func rows(_ text: String) -> SQLResult { SQLResult(rows: [[.text(text)]]) }

    private mutating func look(_ id: Int64, _ tags: String..., ttl: Duration = .seconds(10)) -> ResultCacheCore.Look {
        cache.look(up: Self.read(id), timeToLive: ttl, tags: tags, now: now)
    }

    private mutating func load(_ id: Int64, _ text: String, _ tags: String...) {
        guard case .lead(let load) = cache.look(up: Self.read(id), timeToLive: .seconds(10), tags: tags, now: now)
        else {
            Issue.record("\(id) is there already")
            return
        }
        cache.finish(load, with: Self.rows(text))
    }

    @Test("What was loaded is found under the same text and parameters, and only there")
    mutating func hit() {
        load(1, "one")
        #expect(look(1) == .hit(Self.rows("one")))
        guard case .lead = look(2) else {
            Issue.record("other parameters are another key")
            return
        }
        #expect(cache.counts.hits == 1)
        #expect(cache.counts.misses == 2)
        #expect(cache.counts.hitRate == 1.0 / 3)
    }

    @Test("A result is too old when its query began a time to live ago, and not before")
    mutating func timeToLive() {
        guard case .lead(let load) = look(1) else { return }
        now = now.advanced(by: .seconds(4))  // the query is slow
        cache.finish(load, with: Self.rows("one"))
        now = now.advanced(by: .nanoseconds(5_999_999_999))
        #expect(look(1) == .hit(Self.rows("one")))
        now = now.advanced(by: .nanoseconds(1))
        guard case .lead = look(1) else {
            Issue.record("it is 10 s old")
            return
        }
        #expect(cache.counts.expired == 1)
        #expect(cache.counts.entries == 0)
        #expect(cache.counts.bytes == 0)
    }

    @Test("Each reader says how old is too old")
    mutating func readersOwnTimeToLive() {
        load(1, "one")
        now = now.advanced(by: .seconds(2))
        #expect(look(1, ttl: .seconds(3)) == .hit(Self.rows("one")))
        guard case .lead = look(1, ttl: .seconds(1)) else {
            Issue.record("this reader wants it newer")
            return
        }
    }

    @Test("Who misses while somebody asks follows; a failure lets the next one lead")
    mutating func singleFlight() {
        guard case .lead(let load) = look(1) else { return }
        #expect(look(1) == .follow(load))
        #expect(look(1) == .follow(load))
        cache.finish(load, with: nil)
        guard case .lead(let second) = look(1) else {
            Issue.record("nobody asks any more")
            return
        }
        #expect(second != load)
        #expect(cache.counts.shared == 2)
    }

    @Test("A tag takes its results away and no others")
    mutating func invalidation() {
        load(1, "one", "a", "b")
        load(2, "two", "b")
        load(3, "three", "c")
        cache.invalidate(tag: "a")
        #expect(look(3) == .hit(Self.rows("three")))
        #expect(look(2) == .hit(Self.rows("two")))
        guard case .lead = look(1) else {
            Issue.record("1 was invalidated")
            return
        }
        cache.invalidate(tag: "b")
        guard case .lead = look(2) else {
            Issue.record("2 was invalidated")
            return
        }
        #expect(cache.counts.invalidated == 2)
        cache.invalidateAll()
        #expect(cache.counts.entries == 0)
        #expect(cache.counts.bytes == 0)
    }

    @Test("An invalidation during a load keeps the stale result out, and later readers away from it")
    mutating func invalidationDuringLoad() {
        guard case .lead(let stale) = look(1, "a") else { return }
        #expect(look(1, "a") == .follow(stale))
        cache.invalidate(tag: "a")
        guard case .lead(let fresh) = look(1, "a") else {
            Issue.record("a reader after the invalidation must not get the older result")
            return
        }
        cache.finish(fresh, with: Self.rows("new"))
        cache.finish(stale, with: Self.rows("old"))
        #expect(look(1) == .hit(Self.rows("new")))
        #expect(cache.counts.staleLoads == 1)
        // The other order.
        cache.invalidateAll()
        guard case .lead(let late) = look(2, "a") else { return }
        cache.invalidate(tag: "a")
        cache.finish(late, with: Self.rows("old"))
        guard case .lead = look(2, "a") else {
            Issue.record("a stale result was kept")
            return
        }
    }

    @Test("The least recently used ones go when bytes run out; bytes are those of the rows")
    mutating func eviction() {
        let text = String(repeating: "x", count: 10_000)
        cache = ResultCacheCore(maxBytes: 35_000)
        for id in 1...3 { load(Int64(id), text) }
        #expect(cache.counts.entries == 3)
        #expect((30_000...35_000).contains(cache.counts.bytes))
        #expect(look(1) == .hit(Self.rows(text)))
        load(4, text)
        #expect(cache.counts.evicted == 1)
        #expect(look(1) == .hit(Self.rows(text)))
        #expect(look(3) == .hit(Self.rows(text)))
        guard case .lead = look(2) else {
            Issue.record("2 was used least recently")
            return
        }
        #expect(cache.counts.bytes <= 35_000)
    }

    @Test("A result larger than the cache is not kept, and drives out nothing")
    mutating func tooLarge() {
        cache = ResultCacheCore(maxBytes: 20_000)
        load(1, "small")
        load(2, String(repeating: "x", count: 30_000))
        #expect(cache.counts.tooLarge == 1)
        #expect(look(1) == .hit(Self.rows("small")))
    }

    @Test("A long random life: the bytes are those of the entries, and the bound holds")
    mutating func randomLife() {
        cache = ResultCacheCore(maxBytes: 20_000)
        var random = SeededGenerator(seed: 5)
        for _ in 0..<20_000 {
            let id = Int64.random(in: 0..<100, using: &random)
            switch Int.random(in: 0..<20, using: &random) {
            case 0: cache.invalidate(tag: "tag\(id % 10)")
            case 1: now = now.advanced(by: .seconds(1))
            default:
                let look = cache.look(up: Self.read(id), timeToLive: .seconds(5), tags: ["tag\(id % 10)"], now: now)
                if case .lead(let load) = look {
                    let length = Int.random(in: 0..<2_000, using: &random)
                    cache.finish(load, with: Self.rows(String(repeating: "y", count: length)))
                }
            }
            #expect(cache.counts.bytes <= 20_000)
            #expect((cache.counts.bytes == 0) == (cache.counts.entries == 0))
        }
        cache.invalidateAll()
        #expect(cache.counts.bytes == 0)
        #expect(cache.counts.entries == 0)
    }
}
