import DatabaseServers
import FaultInjection
import Foundation
import HostSystem
import PostgresDriver
import RigModel
import ScenarioFile

/// Brings the target of a scenario into being, and knows beforehand what it can do.
struct TargetFactory: Sendable {
    let scenario: Scenario
    let folder: RunFolder
    let scratch: RunScratch
    let allowedRemoteHosts: Set<String>

    /// For the rig's own connections, superusers' reserved ones, and connections that are being closed.
    private static let connectionsBesideThePool = 30
    /// Through the pooler, by faults that try it.
    private static let poolerClientsBesideThePool = 5

    /// What faults will find on the stage.
    static func parts(of scenario: Scenario) -> Set<StagePart> {
        switch scenario.target {
        case .managedPostgres(let options):
            client(scenario).union([.sessions, .statements, .settings, .server, .link])
                .union(options.standby ? [.standby] : []).union(options.tls ? [.certificates] : [])
                .union(options.name ? [.names] : []).union(options.pgBouncer == nil ? [] : [.pooler])
                .union(options.pgBouncer == nil && scenario.pool.process == .rig ? [.secret] : [])
        case .postgres: client(scenario).union([.sessions, .statements, .link])
        case .compose: client(scenario).union([.sessions, .statements, .link, .containers])
        case .temporarySQLite, .sqlite: [.file]
        }
    }

    private static func client(_ scenario: Scenario) -> Set<StagePart> {
        scenario.pool.process == .child ? [.client] : []
    }

    /// What the machine must have for the target itself.
    static func capabilities(of target: Scenario.Target) -> Set<Capability> {
        switch target {
        case .managedPostgres(let options): options.pgBouncer == nil ? [] : [.pgBouncer]
        case .compose: [.containers]
        case .postgres, .temporarySQLite, .sqlite: []
        }
    }

    /// Refuses what the scenario's target cannot do, before anything is started.
    static func check(
        _ scenario: Scenario, faults: [any Fault], allowedRemoteHosts: Set<String>
    ) throws(RunError) {
        let missing = FaultRequirements.missing(faults, available: parts(of: scenario))
        if !missing.isEmpty { throw .missing(missing.joined(separator: "\n")) }
        try PoolChild.check(scenario)
        for fault in faults {
            for disturbance in fault.disturbances(seed: 0) {
                do { try PoolLinkControl.check(disturbance) } catch {
                    throw .usage("faults: \(type(of: fault).shape.name): \(error)")
                }
            }
        }
        guard case .postgres(let url) = scenario.target else { return }
        let servers: [PostgresEndpoint]
        do throws(PostgresConfigurationError) {
            servers = try PostgresConfiguration(url: url).servers
        } catch {
            throw .usage("target.postgres.url: \(error)")
        }
        for server in servers { try allow(server.host, as: "target", allowedRemoteHosts) }
    }

    /// Refuses a container engine on another machine, unless it was named.
    ///
    /// - Returns: the one that the engine's program asks here.
    static func engine(allowedRemoteHosts: Set<String>) async throws(RunError) -> EngineAddress {
        let engine: EngineAddress
        do { engine = try await ComposeService.engine() } catch { throw .missing("target.compose: \(error)") }
        if let host = engine.remoteHost { try allow(host, as: "container engine", allowedRemoteHosts) }
        return engine
    }

    private static func allow(_ host: String, as what: String, _ allowed: Set<String>) throws(RunError) {
        guard !LoopbackAddress.contains(host), !allowed.contains(host) else { return }
        throw .usage(
            "the \(what) \(host) is not on this machine. Faults will hit it; if that is what you want, "
                + "name it: --allow-remote \(host)")
    }

    func make(_ context: TargetContext) async throws(RunError) -> any RunTarget {
        switch scenario.target {
        case .managedPostgres(let options):
            let plan = try await StagePlan.make(scenario, journal: context.journal, folder: scratch.path)
            let server: ManagedPostgres
            let standby: ManagedPostgres?
            do throws(RunError) { (server, standby) = try await startServers(context, options, plan) } catch {
                await plan.end()
                throw error
            }
            let adminURL =
                "postgresql:///postgres?host=\(server.socketDirectory)&port=\(server.port)&user=\(server.role)"
            var pooler: ManagedPgBouncer?
            do {
                pooler = try await startPooler(options, in: context, before: server)
                return try await PostgresTarget(
                    context: context, server: server, standby: standby, pooler: pooler,
                    url: pooler?.url ?? server.url, adminURL: adminURL, plan: plan, readsLittle: readsLittle,
                    child: child)
            } catch {
                // What cannot be removed here is still in the journal.
                try? await pooler?.destroy()
                try? await standby?.destroy()
                try? await server.destroy()
                await plan.end()
                throw error
            }
        case .postgres(let url):
            let plan = try await StagePlan.make(scenario, journal: context.journal, folder: scratch.path)
            return try await PostgresTarget(
                context: context, server: nil, url: url, adminURL: url, plan: plan, readsLittle: readsLittle,
                child: child)
        case .compose(let name, let file):
            let engine = try await Self.engine(allowedRemoteHosts: allowedRemoteHosts)
            let service: ComposeService
            do { service = try await ComposeService.find(name, in: file, on: engine) } catch {
                throw .missing("target.compose: \(error)")
            }
            try Self.allow(service.host, as: "target", allowedRemoteHosts)
            let plan = try await StagePlan.make(scenario, journal: context.journal, folder: scratch.path)
            return try await PostgresTarget(
                context: context, server: nil, container: service, url: service.connectionString,
                adminURL: service.connectionString, plan: plan, readsLittle: readsLittle, child: child)
        case .temporarySQLite:
            return SQLiteTarget(
                context: context, path: scratch.path + "/chaosrig.db", isTemporary: true, scratch: scratch,
                needsShim: needs(.file))
        case .sqlite(let path):
            return SQLiteTarget(
                context: context, path: path, isTemporary: false, scratch: scratch, needsShim: needs(.file))
        }
    }

    private func needs(_ part: StagePart) -> Bool {
        ScenarioRun.faults(of: scenario).contains { $0.needs.contains(part) }
    }

    private var readsLittle: Bool { ScenarioRun.faults(of: scenario).contains { $0 is ClientSlowReader } }

    /// The pool's process, where it has one of its own.
    private var child: PoolChild? {
        guard scenario.pool.process == .child else { return nil }
        let needsClock = ScenarioRun.faults(of: scenario).contains { fault in
            fault.capabilities.contains { $0.contains(.fakeTime) }
        }
        return PoolChild(
            adapter: scenario.pool.adapter, logPath: folder.file("pool.log"), scratch: scratch.path,
            hasClock: needsClock)
    }

    private func startServers(
        _ context: TargetContext, _ target: Scenario.ManagedOptions, _ plan: StagePlan
    ) async throws(RunError) -> (ManagedPostgres, standby: ManagedPostgres?) {
        var options = ManagedPostgres.Options()
        options.maxConnections = scenario.pool.totalOpen + Self.connectionsBesideThePool
        // Sessions of a PgBouncer that was killed may still work while its successor opens new ones.
        if target.pgBouncer != nil { options.maxConnections += scenario.pool.totalOpen }
        options.logPath = folder.file("server.log")
        options.tls = target.tls
        options.network = plan.link?.serverNetwork
        // A commit is acknowledged once the standby has it: what a failover loses then is the pool's loss.
        if target.standby { options.settings = [("synchronous_standby_names", "*")] }
        do throws(ServerError) {
            let server = try await ManagedPostgres.create(in: scratch, journal: context.journal, options: options)
            guard target.standby else { return (server, nil) }
            options.logPath = folder.file("standby.log")
            // Once it is the primary it has nobody to wait for; and it finds a primary that was away soon again.
            options.settings = [("synchronous_standby_names", ""), ("wal_retrieve_retry_interval", "200ms")]
            do throws(ServerError) {
                let standby = try await ManagedPostgres.createStandby(
                    of: server, in: scratch, journal: context.journal, options: options)
                return (server, standby)
            } catch {
                try? await server.destroy()
                throw error
            }
        } catch {
            // Whatever it was: this machine does not give what the scenario needs.
            throw .missing(error.description)
        }
    }

    private func startPooler(
        _ target: Scenario.ManagedOptions, in context: TargetContext, before server: ManagedPostgres
    ) async throws(RunError) -> ManagedPgBouncer? {
        guard let chosen = target.pgBouncer else { return nil }
        let clients = scenario.pool.totalOpen
        let pooling: Pooling
        let poolSize: Int
        switch chosen {
        // Each client holds a server connection for as long as it lives, those of faults too.
        case .session: (pooling, poolSize) = (.session, clients + Self.poolerClientsBesideThePool)
        // Fewer than clients, which is what transaction pooling is for: they change hands.
        case .transaction: (pooling, poolSize) = (.transaction, max(2, (clients + 1) / 2))
        }
        do {
            return try await ManagedPgBouncer.create(
                in: scratch, journal: context.journal,
                options: ManagedPgBouncer.Options(
                    serverPort: server.port, pooling: pooling, roles: [PostgresTarget.poolRole], poolSize: poolSize,
                    // A pool that reconnects may be seen with its old and its new connections.
                    maxClients: 2 * clients + Self.connectionsBesideThePool, logPath: folder.file("pgbouncer.log")))
        } catch {
            throw .missing(error.description)
        }
    }
}
