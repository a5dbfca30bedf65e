import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import Workloads

/// Several pools that are one in the history.
@Suite(.timeLimit(.minutes(15)))
struct PoolInstancesTests {
    private func instances(_ fixtures: [WorkloadFixture]) async -> PoolInstances {
        let rest = Watched(fixtures.map(\.pool))
        return await PoolInstances(count: fixtures.count, sink: fixtures[0].sink) { sink in
            rest.change { $0.removeFirst() }
        }
    }

    @Test("Uses go to each in turn; numbers of connections differ; gauges and counters are sums")
    func sums() async throws {
        let fixtures = [WorkloadFixture(), WorkloadFixture(), WorkloadFixture()]
        let pool = await instances(fixtures)
        var connections: [Int?] = []
        for _ in 0..<6 { connections.append(await pool.use(.write(.insert)).completion.connection) }
        #expect(connections == [1, 1_000_001, 2_000_001, 1, 1_000_001, 2_000_001])
        #expect(pool.gauges.open == 3 && pool.gauges.idle == 3)
        let counters = pool.metrics()
        #expect(counters.first { $0.key == "acquireCount" }?.value == 6)
        #expect(counters.first { $0.key == "connectsOpened" }?.value == 3)
        #expect(await pool.close() == 0)
        #expect(pool.gauges == PoolGauges())
    }

    @Test("The attempts of an operation name the same connections as the operation")
    func numbersOfAttempts() {
        var completion = Completion(
            attempt: 2, connection: 4,
            attempts: [
                Attempt(number: 1, outcome: .fail, connection: 3), Attempt(number: 2, outcome: .fail),
                Attempt(number: 3, outcome: .ok, connection: 4),
            ])
        NumberingSink.renumber(&completion, by: 1_000_000)
        #expect(completion.connection == 1_000_004)
        #expect(completion.attempts.map(\.connection) == [1_000_003, nil, 1_000_004])
    }

    @Test("A pool that cannot be made ends those that were")
    func failure() async throws {
        struct Refused: Error {}
        let first = WorkloadFixture()
        let isFirst = Watched(true)
        await #expect(throws: Refused.self) {
            try await PoolInstances(count: 2, sink: first.sink) { _ in
                guard
                    isFirst.change({ was in
                        defer { was = false }; return was
                    })
                else { throw Refused() }
                return first.pool
            }
        }
        #expect(await first.pool.use(.write(.insert)).outcome == .fail)
    }
}
