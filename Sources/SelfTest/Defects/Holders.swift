import ConnectionPool
import RigModel
import Threading
import Workloads

/// A connection with two holders, and answers that go to somebody else.
enum Holders {
    static let all: [Defect] = [
        Defect(
            "two-holders", .holders, "two clients that ask at the same time are lent the same connection",
            breaks: "exclusive-checkout",
            in: .contended.judging("exclusive-checkout: {}"),
            short: true, pool: { SharedLease() }),
        Defect(
            "answers-off-by-one", .holders, "a connection that is out of step gives the answer to the query before",
            breaks: "own-results", in: .registers, driver: { OffByOne() }),
    ]
}

/// Two reads that come within a few milliseconds are done on one lease, and each client believes that it is alone.
private struct SharedLease: PoolDefect {
    private struct Waiting: Sendable {
        var request: UseRequest
        var number: Int
        var continuation: CheckedContinuation<UseReport?, Never>
    }

    private static let patience = Duration.milliseconds(10)
    private let waiting = Memory<Waiting?>(nil)
    private let tally = Tally()

    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        guard request.isReadOnly, !request.isTransaction, request.behaviour == nil else {
            return await pool.use(request)
        }
        let first = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        if let first { return await share(first, request, pool) }
        let number = tally.next()
        let answer = await withCheckedContinuation { (continuation: CheckedContinuation<UseReport?, Never>) in
            let displaced = waiting.withLock { waiting in
                defer { waiting = Waiting(request: request, number: number, continuation: continuation) }
                return waiting
            }
            displaced?.continuation.resume(returning: nil)
            Task {
                try? await Task.sleep(for: Self.patience)
                let late = waiting.withLock { waiting -> Waiting? in
                    guard waiting?.number == number else { return nil }
                    defer { waiting = nil }
                    return waiting
                }
                late?.continuation.resume(returning: nil)
            }
        }
        guard let answer else { return await pool.use(request) }
        return answer
    }

    private func share(_ first: Waiting, _ second: UseRequest, _ pool: any PoolUnderTest) async -> UseReport {
        var both = second
        both.steps = { attempt in first.request.steps(attempt) + second.steps(attempt) }
        let report = await pool.use(both)
        let count = min(first.request.steps(1).count, report.results.count)
        var (one, other) = (report, report)
        one.results = Array(report.results.prefix(count))
        other.results = Array(report.results.dropFirst(count))
        first.continuation.resume(returning: one)
        return other
    }
}

private struct OffByOne: DriverDefect {
    private let last = Memory<SQLResult?>(nil)
    private let tally = Tally()

    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        let result = try await connection.base.execute(statement, deadline: deadline)
        guard statement.role == .read else { return result }
        let before = last.withLock { last in
            defer { last = result }
            return last
        }
        return tally.isEvery(20) ? before ?? result : result
    }
}
