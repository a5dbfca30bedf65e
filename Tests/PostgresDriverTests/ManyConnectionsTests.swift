import ConnectionPool
import EventLoop
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import PostgresDriver

@Suite("Hundreds at once on one loop", .timeLimit(.minutes(15)))
struct ManyConnectionsTests {
    @Test func manyConnectsAndStatementsAllSucceed() async throws {
        try await withPostgres { fixture in
            // 40 at a time: the shared server has other guests.
            let sum = try await withThrowingTaskGroup(of: Int64.self) { group in
                var sum: Int64 = 0
                for index in 0..<160 {
                    if index >= 40, let value = try await group.next() { sum += value }
                    group.addTask(executorPreference: index % 2 == 0 ? fixture.loop : nil) {
                        let connection = try await fixture.connect()
                        let result = try await connection.run("select $1::int8 * 2", [.int(Int64(index))], role: .read)
                        await connection.close(deadline: .soon)
                        return result.rows[0][0].intValue ?? 0
                    }
                }
                return try await group.reduce(into: sum) { $0 += $1 }
            }
            #expect(sum == 160 * 159)
        }
    }

    @Test func connectsToASilentServerAllEndAtTheirDeadlinesAndLeaveNoSocket() async throws {
        let silent = SilentListener()
        let loop = try EventLoop()
        defer { loop.shutdown() }
        let driver = PostgresDriver(configuration: try PostgresConfiguration(url: silent.url), loop: loop)
        let count = 200
        let causes = await withTaskGroup(of: FailureCause?.self) { group in
            for index in 0..<count {
                group.addTask {
                    let connecting = Task {
                        await failure { () throws(DriverError) in
                            try await driver.connect(deadline: .inMilliseconds(200 + index % 100))
                        }
                    }
                    if index % 4 == 0 {
                        await silent.untilReached()
                        connecting.cancel()
                    }
                    return await connecting.value?.cause
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(causes.allSatisfy { $0 == .timedOut || $0 == .cancelled })
        #expect(causes.contains(.timedOut))
        #expect(causes.contains(.cancelled))
        let clients = await silent.acceptAll()
        #expect(clients.accepted > 0)
        #expect(clients.closed == clients.accepted)
    }

    @Test func statementsWithDeadlinesAllEndAndEachConnectionKnowsWhetherItIsUsable() async throws {
        try await withPostgres { fixture in
            let isAsExpected = try await withThrowingTaskGroup(of: Bool.self) { group in
                var all = true
                for index in 0..<120 {
                    if index >= 30, let one = try await group.next() { all = all && one }
                    group.addTask {
                        let connection = try await fixture.connect()
                        let limit = MonotonicInstant.inMilliseconds(20 + index % 30)
                        let error = await failure { () throws(DriverError) in
                            try await connection.execute(
                                SQLStatement(
                                    "select pg_sleep($1::float8)", [.double(Double(index % 60) / 1000)], role: .read),
                                deadline: limit)
                        }
                        let isUsable = connection.transactionStatus == .idle
                        await connection.close(deadline: .soon)
                        return error == nil
                            ? isUsable : error?.cause == .timedOut && isUsable == (error?.requestSent == false)
                    }
                }
                return try await group.reduce(into: all) { $0 = $0 && $1 }
            }
            #expect(isAsExpected)
        }
    }
}
