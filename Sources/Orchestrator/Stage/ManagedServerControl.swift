import ConnectionPool
import DatabaseServers
import FaultInjection
import HostSystem
import PostgresDriver
import RigModel
import Threading

/// The private server as faults see it.
struct ManagedServerControl: ServerControl {
    let current: CurrentServer
    /// How the pool connects, without a relay, under a name that is not the pool's.
    let direct: PostgresConfiguration
    /// How the rig connects.
    let rig: PostgresConfiguration
    /// What the pool knows.
    let secret: PostgresSecret
    let makeDriver: @Sendable (PostgresConfiguration) -> PostgresDriver

    private var server: ManagedPostgres { current.server }

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

    func startHeld() async throws { try await server.startHeld() }

    func endHeldRecovery(within limit: Duration) async throws { try await server.endHeldStart(within: limit) }

    var place: ServerPlace {
        get async throws {
            let owner = try server.owner()
            return ServerPlace(
                folder: server.folder, dataDirectory: server.dataDirectory, user: owner.user, group: owner.group)
        }
    }

    // MARK: Processes

    func processes() async -> [ProcessIdentity] {
        let server = server
        return await onOwnThread("look at processes") { server.processes() }
    }

    func signal(_ process: ProcessIdentity, _ number: Int32) async -> Bool { process.signal(number) == 0 }

    func state(of process: ProcessIdentity) async -> ProcessState? {
        guard let status = ProcessTable.status(of: process.pid), status.startTicks == process.startTicks,
            !status.isDead
        else { return nil }
        return status.isStopped ? .stopped : .running
    }

    // MARK: Logging in

    func tryConnect(within limit: Duration) async -> ConnectAnswer { await tryConnect(direct, within: limit) }

    func tryConnect(password: String, within limit: Duration) async -> ConnectAnswer {
        var configuration = direct
        configuration.secret = PostgresSecret(password)
        return await tryConnect(configuration, within: limit)
    }

    private func tryConnect(_ configuration: PostgresConfiguration, within limit: Duration) async -> ConnectAnswer {
        await makeDriver(configuration).answer(within: limit)
    }

    func tellPool(password: String?) async { secret.password = password }

    func accessRules() async throws -> [UInt8] {
        let server = server
        return try await onOwnThread(
            "read access rules", throwing: { () throws(ServerError) in try server.accessRules() })
    }

    func setAccessRules(_ rules: [UInt8]) async throws {
        let server = server
        try await onOwnThread(
            "write access rules", throwing: { () throws(ServerError) in try server.setAccessRules(rules) })
    }

    func runInMaintenanceDatabase(_ sql: String, within limit: Duration) async throws(StatementFailure) {
        var configuration = rig
        configuration.database = "template1"
        do throws(DriverError) {
            try await makeDriver(configuration).connectAndRun(SQLStatement(sql, role: .write), within: limit)
        } catch {
            throw StatementFailure(error)
        }
    }
}
