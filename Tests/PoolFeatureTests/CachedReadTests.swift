import ConnectionPool
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

extension FeatureTests {
    /// The results cache on a real server.
    @Suite("Cached reads")
    struct CachedReadTests {
        @Test("A kept result is served until its tag is invalidated")
        func servedUntilInvalidated() async throws {
            try await FeatureFixture.with { fixture in
                let cache = ResultCache(maxBytes: 1 << 20)
                let read = SQLStatement("SELECT v FROM \(fixture.table) WHERE id = $1::bigint", [.int(1)], role: .read)
                func get() async throws -> [[SQLValue]] {
                    try await fixture.pool.cachedRead(read, in: cache, timeToLive: .seconds(600), tags: ["t"]).rows
                }
                _ = try await fixture.ask("INSERT INTO \(fixture.table) VALUES (1, 10)")
                #expect(try await get() == [[.int(10)]])
                _ = try await fixture.ask("UPDATE \(fixture.table) SET v = 20")
                #expect(try await get() == [[.int(10)]])
                cache.invalidate("other")
                #expect(try await get() == [[.int(10)]])
                cache.invalidate("t")
                #expect(try await get() == [[.int(20)]])
                #expect(cache.counts.hits == 2)
                #expect(cache.counts.hitRate == 0.5)
            }
        }

        @Test("An invalidation while the query runs keeps its stale rows out")
        func invalidatedWhileLoading() async throws {
            try await FeatureFixture.with { fixture in
                let cache = ResultCache(maxBytes: 1 << 20)
                _ = try await fixture.ask("INSERT INTO \(fixture.table) VALUES (1, 10)")
                // Reads its snapshot, and then waits for a lock that the test holds.
                _ = try await fixture.ask("SELECT pg_advisory_lock(hashtext($1))", [.text(fixture.table)])
                let slow = SQLStatement(
                    "SELECT v, pg_advisory_xact_lock_shared(hashtext('\(fixture.table)'))::text FROM \(fixture.table)",
                    role: .read)
                let reader = Task {
                    try await fixture.pool.cachedRead(slow, in: cache, timeToLive: .seconds(600), tags: ["t"]).rows
                }
                let question = """
                    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                    AND objid::bigint = hashtext($1)::bigint & 4294967295
                    """
                while try await fixture.ask(question, [.text(fixture.table)]).rows == [[.int(0)]] {
                    try Task.checkCancellation()
                }
                _ = try await fixture.ask("UPDATE \(fixture.table) SET v = 20")
                cache.invalidate("t")
                _ = try await fixture.ask("SELECT pg_advisory_unlock(hashtext($1))", [.text(fixture.table)])
                let old = try await reader.value
                #expect(old[0][0] == .int(10))
                let new = try await fixture.pool.cachedRead(slow, in: cache, timeToLive: .seconds(600), tags: ["t"])
                    .rows
                #expect(new[0][0] == .int(20))
                #expect(cache.counts.staleLoads == 1)
            }
        }

        @Test("A hundred readers at one time make one query")
        func sharedQuery() async throws {
            try await FeatureFixture.with(maxOpen: 8) { fixture in
                let cache = ResultCache(maxBytes: 1 << 20)
                let read = SQLStatement("SELECT nextval('\(fixture.table)_seq')", role: .read)
                _ = try await fixture.ask("CREATE SEQUENCE \(fixture.table)_seq OWNED BY \(fixture.table).id")
                let seen = try await withThrowingTaskGroup(of: [[SQLValue]].self) { group in
                    for _ in 0..<100 {
                        group.addTask {
                            try await fixture.pool.cachedRead(read, in: cache, timeToLive: .seconds(600)).rows
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(seen.allSatisfy { $0 == [[.int(1)]] })
                #expect(cache.counts.misses == 1)
                #expect(cache.counts.hits + cache.counts.shared == 99)
            }
        }

        @Test("A result is as old as its reader allows, and no older")
        func timeToLive() async throws {
            try await FeatureFixture.with { fixture in
                let cache = ResultCache(maxBytes: 1 << 20)
                let read = SQLStatement("SELECT nextval('\(fixture.table)_seq')", role: .read)
                try await fixture.ask("CREATE SEQUENCE \(fixture.table)_seq OWNED BY \(fixture.table).id")
                func get(_ timeToLive: Duration) async throws -> Int64? {
                    try await fixture.pool.cachedRead(read, in: cache, timeToLive: timeToLive).rows[0][0].intValue
                }
                #expect(try await get(.seconds(600)) == 1)
                #expect(try await get(.seconds(600)) == 1)
                // Every result is older than that: its age counts from the beginning of its query.
                #expect(try await get(.nanoseconds(1)) == 2)
                let tooOld = fixture.runtime.now.advanced(by: .milliseconds(50))
                #expect(try await get(.seconds(600)) == 2)
                #expect(cache.counts.expired == 1)
                // It ends by itself, too: its query began before that moment less the time to live.
                try await fixture.runtime.sleep(until: tooOld)
                #expect(try await get(.milliseconds(50)) == 3)
                #expect(cache.counts.expired == 2)
            }
        }

        @Test("More results than bytes: the ones used last are kept, and the bound holds")
        func sizeBound() async throws {
            try await FeatureFixture.with { fixture in
                let cache = ResultCache(maxBytes: 64 << 10)
                func get(_ id: Int64) async throws {
                    let read = SQLStatement("SELECT repeat('x', 4000), $1::bigint", [.int(id)], role: .read)
                    let rows = try await fixture.pool.cachedRead(read, in: cache, timeToLive: .seconds(600)).rows
                    #expect(rows[0][1] == .int(id))
                    #expect(cache.counts.bytes <= 64 << 10)
                }
                for id in Int64(0)..<100 {
                    try await get(id)
                    try await get(0)
                }
                // 4 kB each: never more than 16, and the one that is read all the time is never driven out.
                #expect((10...16).contains(cache.counts.entries))
                #expect(cache.counts.evicted == 100 - cache.counts.entries)
                #expect(cache.counts.hits == 100)
                let large = SQLStatement("SELECT repeat('x', 100000)", role: .read)
                _ = try await fixture.pool.cachedRead(large, in: cache, timeToLive: .seconds(600))
                #expect(cache.counts.tooLarge == 1)
                try await get(0)
                #expect(cache.counts.hits == 101)
            }
        }
    }
}
