import ConnectionPool
import FaultInjection
import PostgresDriver
import RigModel
import Threading

/// Connections for one thing only.
extension PostgresDriver {
    /// Connects, runs one statement where there is one, and closes.
    func connectAndRun(_ statement: SQLStatement?, within limit: Duration) async throws(DriverError) {
        let deadline = MonotonicInstant.now.advanced(by: limit)
        let connection = try await connect(deadline: deadline)
        var failure: DriverError?
        if let statement {
            do throws(DriverError) { _ = try await connection.execute(statement, deadline: deadline) } catch {
                failure = error
            }
        }
        await connection.close(deadline: .now.advanced(by: .seconds(1)))
        if let failure { throw failure }
    }

    /// What comes of it, for faults.
    func answer(to statement: SQLStatement? = nil, within limit: Duration) async -> ConnectAnswer {
        do throws(DriverError) {
            try await connectAndRun(statement, within: limit)
            return .accepted
        } catch {
            switch error.cause {
            // Who was cancelled has not been answered: that is no refusal.
            case .timedOut, .cancelled: return .noAnswer
            default: return .refused(sqlState: error.cause.code, message: error.message)
            }
        }
    }
}
