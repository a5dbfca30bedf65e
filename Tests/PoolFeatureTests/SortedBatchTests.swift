import ConnectionPool
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

extension FeatureTests {
    /// Batches that are sorted by their keys do not deadlock; others do.
    @Suite("Batches and deadlocks")
    struct SortedBatchTests {
        @Test("Batches that change the same rows in all orders do not deadlock")
        func sortedKeys() async throws {
            try await FeatureFixture.with(maxOpen: 8) { fixture in
                _ = try await fixture.ask(
                    "INSERT INTO \(fixture.table) SELECT n, 0 FROM generate_series(0, 49) n")
                // Two batchers know nothing of each other's keys: only the order keeps them apart.
                let batchers = (0..<2).map { _ in
                    Batcher<PostgresDriver, Int64>(
                        pool: fixture.pool, configuration: BatcherConfiguration(maxInFlight: 4))
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in 0..<100 {
                        group.addTask {
                            var generator = SeededGenerator(seed: UInt64(worker))
                            for _ in 0..<20 {
                                let id = Int64.random(in: 0..<50, using: &generator)
                                let statement = SQLStatement(
                                    "UPDATE \(fixture.table) SET v = v + 1 WHERE id = $1::bigint", [.int(id)],
                                    role: .write)
                                _ = try await batchers[worker % 2].submit(statement, key: id)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                for batcher in batchers {
                    await batcher.close()
                    #expect(batcher.counts.deadlocks == 0)
                }
                let sum = try await fixture.ask("SELECT sum(v)::bigint FROM \(fixture.table)").rows
                #expect(sum == [[.int(2000)]])
            }
        }
    }
}
