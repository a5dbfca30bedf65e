import ConnectionPool
import Orchestrator
import Threading
import Workloads

/// Makes the user's pool, and sees before any load that the rig will be able to judge it. Thread-safe.
final class PoolDoor<Pool: RigPool>: Sendable {
    private let make: @Sendable (RigPoolSettings) async throws -> Pool
    private let isFirst = Lock(true)

    init(_ make: @escaping @Sendable (RigPoolSettings) async throws -> Pool) { self.make = make }

    func open(_ order: PoolOrder) async throws -> any ScopedPool {
        let pool = try await make(RigPoolSettings(order))
        let isFirst = isFirst.withLock { isFirst in
            defer { isFirst = false }
            return isFirst
        }
        // Later ones are made in the middle of faults.
        if isFirst { try await look(at: pool, order) }
        return PoolBridge(pool: pool)
    }

    private func look(at pool: Pool, _ order: PoolOrder) async throws {
        let limit = order.limits.acquireTimeout + order.limits.connectTimeout + order.limits.statementTimeout
        let row: [String]
        switch await FirstUse.run(on: pool, within: limit + .seconds(10)) {
        case .row(let values): row = values
        case .failed(let error):
            throw RunError.cannotProceed("your pool's first use failed, before any fault: \(error)")
        case .silent:
            throw RunError.cannotProceed(
                "your pool's first use, before any fault, had not ended after \(Int((limit + .seconds(10)).seconds)) s: its "
                    + "limits (RigPoolSettings) add up to \(Int(limit.seconds)) s")
        }
        guard row == [order.applicationName, "7"] else {
            throw RunError.usage(
                row.count == 2 && row[1] == "7"
                    ? "your pool's connections bear the application_name \"\(row[0])\", not \"\(order.applicationName)\": the "
                        + "rig cannot find them on the server. Connect by RigPoolSettings.url, or set applicationName"
                    : "your pool's first query should have returned one row, the application_name and 7, not \(row)")
        }
    }
}

/// One query on a pool of which nothing is known yet, not even whether it ever answers.
private final class FirstUse: Sendable {
    enum Answer {
        case row([String])
        case failed(any Error)
        case silent
    }

    private let waiting: Lock<CheckedContinuation<Answer, Never>?>

    private init(_ continuation: CheckedContinuation<Answer, Never>) { waiting = Lock(continuation) }

    static func run(on pool: some RigPool, within limit: Duration) async -> Answer {
        await withCheckedContinuation { (continuation: CheckedContinuation<Answer, Never>) in
            let use = FirstUse(continuation)
            let timer = Task.detached {
                if (try? await Task.sleep(for: limit)) != nil { use.end(.silent) }
            }
            Task.detached {
                do {
                    try await pool.withConnection(
                        RigUse { connection in
                            let rows = try await connection.query(
                                "SELECT current_setting('application_name'), $1::bigint", [.int(7)])
                            use.end(.row(rows.first?.compactMap(\.text) ?? []))
                        })
                    use.end(.row([]))
                } catch {
                    use.end(.failed(error))
                }
                timer.cancel()
            }
        }
    }

    /// The first answer counts.
    private func end(_ answer: Answer) {
        let continuation = waiting.withLock { $0.take() }
        continuation?.resume(returning: answer)
    }
}
