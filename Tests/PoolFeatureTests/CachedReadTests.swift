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
                let question = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                while try await fixture.ask(question).rows == [[.int(0)]] {}
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
    }
}
