import ConnectionPool
import DatabaseServers
import FaultInjection
import PostgresDriver
import RigModel
import Threading

/// The private server as faults see it.
struct ManagedServerControl: ServerControl {
    let server: ManagedPostgres
    /// Connects by the same way as the pool, without a relay.
    let driver: PostgresDriver

    func postmasterPID() async -> Int32? { server.postmasterPID() }

    func beginShutdown(_ mode: ShutdownMode) async throws {
        let translated: PostgresShutdown =
            switch mode {
            case .smart: .smart
            case .fast: .fast
            case .immediate: .immediate
            case .crash: .crash
            }
        try server.beginShutdown(translated)
    }

    func waitUntilStopped(within limit: Duration) async -> Bool { await server.waitUntilStopped(within: limit) }

    func start(within limit: Duration) async throws { try await server.start(within: limit) }

    func tryConnect(within limit: Duration) async -> ConnectAnswer {
        do throws(DriverError) {
            let connection = try await driver.connect(deadline: .now.advanced(by: limit))
            await connection.close(deadline: .now.advanced(by: .seconds(1)))
            return .accepted
        } catch {
            return .refused(sqlState: error.cause.code, message: error.message)
        }
    }
}
