import ConnectionPool
import DatabaseServers
import FaultInjection
import HostSystem
import PostgresDriver

/// The private PgBouncer as faults see it.
struct ManagedPoolerControl: PoolerControl {
    let pooler: ManagedPgBouncer
    /// How the pool connects, without a relay, under a name that is not the pool's.
    let direct: PostgresConfiguration
    let makeDriver: @Sendable (PostgresConfiguration) -> PostgresDriver

    var database: String { pooler.database }

    func process() async -> ProcessIdentity? { pooler.process }

    func signal(_ number: Int32) async throws { try pooler.signal(number) }

    func waitUntilStopped(within limit: Duration) async -> Bool { await pooler.waitUntilStopped(within: limit) }

    func start(within limit: Duration) async throws { try await pooler.start(within: limit) }

    func console(_ command: String, within limit: Duration) async throws(StatementFailure) -> [[String: String]] {
        do throws(PoolerError) {
            return try await pooler.console(command, within: limit)
        } catch {
            guard case .console(_, let sqlState, let message) = error else {
                throw StatementFailure(sqlState: nil, message: "\(error)")
            }
            throw StatementFailure(sqlState: sqlState, message: message)
        }
    }

    func logPosition() async -> Int { await LogFile.size(pooler.logPath) }

    func logLines(since position: Int) async -> [String] {
        await LogFile.lines(of: pooler.logPath, since: position).lines
    }

    func tryQuery(within limit: Duration) async -> ConnectAnswer {
        await makeDriver(direct).answer(to: SQLStatement("SELECT 1", role: .read), within: limit)
    }
}
