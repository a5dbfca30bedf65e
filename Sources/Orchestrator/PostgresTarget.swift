import ConnectionPool
import DatabaseServers
import EventLoop
import FaultInjection
import FaultProxy
import HostSystem
import PostgresDriver
import Probes
import RigModel
import Threading
import Workloads

/// A PostgreSQL under test: a private one, or one that exists.
struct PostgresTarget: RunTarget {
    private let context: TargetContext
    /// `nil`: the server is not ours.
    private let server: ManagedPostgres?
    private let configuration: PostgresConfiguration
    private let database: WorkloadDatabase<PostgresDriver>
    /// For the samples: never waits behind a final read or a fault.
    private let sampling: AdminSession<PostgresDriver>
    private let faultSession: AdminSession<PostgresDriver>
    private let relay: PoolRelay?
    private let linkSession: AdminSession<PostgresDriver>?
    private let sessionProbe: ServerSessionProbe
    private let serverVersion: String
    private let statements: PostgresStatementControl
    private let plan: StagePlan
    let stage: FaultStage

    /// - Parameters:
    ///   - server: the private server, which runs; `nil` for one that exists.
    ///   - url: how to reach the server as the pool does.
    ///   - adminURL: how the rig reaches it on a way that no fault disturbs.
    ///   - plan: what is needed of the way between pool and server.
    init(
        context: TargetContext, server: ManagedPostgres?, url: String, adminURL: String, plan: StagePlan
    ) async throws(RunError) {
        self.context = context
        self.server = server
        let application = "chaosrig/\(context.runID)"
        self.plan = plan
        let relay = plan.needsRelay ? try await Self.startRelay(to: url, in: plan.link, seed: context.seed) : nil
        self.relay = relay
        do throws(PostgresConfigurationError) {
            var pool = try PostgresConfiguration(url: url)
            if server != nil { pool.user = Self.poolRole }
            pool.applicationName = application
            pool.serverStatementTimeout = context.settings.configuration.statementTimeout
            var rig = try PostgresConfiguration(url: adminURL)
            rig.applicationName = "chaosrig-probe/\(context.runID)"
            var link = pool
            link.applicationName = "chaosrig-link/\(context.runID)"
            let rigDriver = PostgresDriver(configuration: rig, loop: context.rigLoop)
            let direct = PostgresDriver(configuration: link, loop: context.rigLoop)
            sampling = AdminSession(driver: rigDriver)
            faultSession = AdminSession(driver: rigDriver)
            database = WorkloadDatabase(admin: AdminSession(driver: rigDriver), schema: context.schema(.postgres))
            sessionProbe = ServerSessionProbe(applicationName: application)

            var linkControl: PoolLinkControl?
            if let relay {
                let host = plan.link == nil ? "127.0.0.1" : PrivateLink.serverAddresses[0]
                pool.endpoint = PostgresEndpoint(host: host, port: relay.port)
                link.endpoint = pool.endpoint
            }
            if plan.names != nil, let end = pool.endpoint ?? pool.servers.first {
                pool.endpoint = PostgresEndpoint(host: PrivateNames.host, port: end.port)
            }
            if plan.needsLink {
                let session = AdminSession(driver: PostgresDriver(configuration: link, loop: context.rigLoop))
                linkSession = session
                linkControl = PoolLinkControl(
                    relay: relay?.relay, loopbackServerPort: Self.loopbackPort(of: pool.servers), session: session)
            } else {
                linkSession = nil
            }
            configuration = pool
            let rigLoop = context.rigLoop
            statements = PostgresStatementControl(
                admin: faultSession, url: adminURL, poolRole: pool.user ?? "", runID: context.runID,
                schema: database.schema, makeDriver: { PostgresDriver(configuration: $0, loop: rigLoop) })
            var stage = FaultStage(
                sessions: PostgresSessionControl(
                    admin: faultSession, probe: sessionProbe, runtime: LoopRuntime(loop: context.rigLoop)),
                server: server.map { ManagedServerControl(server: $0, driver: direct) }, link: linkControl, file: nil,
                programs: SystemPrograms(), journal: context.journal)
            stage.statements = statements
            let end = pool.endpoint ?? pool.servers.first
            if let end, !end.isUnixSocket, plan.link != nil || LoopbackAddress.contains(end.host) {
                stage.names = plan.names?.server
                stage.network = plan.place(port: end.port, runID: context.runID)
            }
            if server != nil {
                stage.settings = PostgresSettingsControl(
                    statements: statements, runtime: LoopRuntime(loop: context.rigLoop))
            }
            self.stage = stage
        } catch {
            throw .usage("target.postgres.url: \(error)")
        }
        do {
            let version = try await database.admin.run(
                SQLStatement("SHOW server_version", role: .read), within: .seconds(10))
            serverVersion = version.rows.first?.first?.textValue ?? "unknown"
        } catch {
            throw .missing(
                "no answer from the database \(configuration.maskedURL): \(error). Check that it runs and that the URL is right."
            )
        }
    }

    var description: String {
        server == nil ? configuration.maskedURL : "managed PostgreSQL \(serverVersion)"
    }

    var environment: [JSONValue.Member] {
        [.init("server", .string("PostgreSQL \(serverVersion)")), .init("stage", plan.facts)]
    }

    func prepare(_ sink: any EventSink) async throws(RunError) {
        try await database.prepare(sink)
        guard server != nil else { return }
        do {
            for text in [
                "CREATE ROLE \(Self.poolRole) LOGIN",
                "GRANT ALL ON \(database.schema.appendsTable), \(database.schema.accountsTable) TO \(Self.poolRole)",
            ] { try await statements.run(text, within: .seconds(10)) }
        } catch {
            throw .cannotProceed("cannot make the pool's role: \(error)")
        }
    }

    func makePool(observer: any PoolObserver) async throws(RunError) -> any PoolUnderTest {
        let runtime = LoopRuntime(loops: context.poolLoops)
        let pool = Pool(
            driver: PostgresDriver(configuration: configuration, loops: context.poolLoops),
            configuration: context.settings.configuration, runtime: runtime, seed: context.seed, observer: observer)
        return InstrumentedPool(
            pool: pool, policy: context.settings.policy, begin: database.schema.begin,
            askAboutCommits: context.settings.askAboutCommits, seed: context.seed)
    }

    func outsideBooks(afterClose: Bool) async -> OutsideBooks {
        var books = OutsideBooks()
        if let result = try? await sampling.run(sessionProbe.list, within: .seconds(1)) {
            let sessions = sessionProbe.sessions(in: result)
            books.serverSessions = sessions.count
            books.sessions = .array(
                sessions.map {
                    ["pid": JSONValue($0.pid), "state": .string($0.state), "query": .string($0.query)]
                })
        }
        // Counted last: the look at the sessions may have opened a connection of the rig.
        if let port = poolPort, let sockets = SocketProbe.establishedSockets(toRemotePort: port) {
            books.clientSockets = sockets - ownSockets
        }
        return books
    }

    /// The rig's own connections to the port that the pool uses: on a server that exists both go to the same one.
    private var ownSockets: Int {
        guard server == nil, relay == nil else { return 0 }
        return [database.admin, sampling, faultSession].count { $0.isOpen }
    }

    func readFinalState(_ sink: any EventSink) async throws { try await database.readFinalState(sink) }

    func tearDown() async -> [String] {
        await linkSession?.close()
        await statements.close()
        await sampling.close()
        await faultSession.close()
        var left: [String] = []
        if server == nil { left += await database.dropTables() }
        await database.admin.close()
        if let relay { await onOwnThread("stop relay") { relay.stop() } }
        if let server {
            do throws(ServerError) { try await server.destroy() } catch { left.append("\(error)") }
        }
        await plan.end()
        return left
    }

    /// The port that the pool's sockets go to; `nil` where it uses a Unix socket.
    private var poolPort: UInt16? {
        if let endpoint = configuration.endpoint { return endpoint.port }
        guard let server = configuration.servers.first, !server.isUnixSocket else { return nil }
        return server.port
    }
}

extension PostgresTarget {
    /// On a private server the pool is no superuser: those have slots and rights that no service has.
    private static let poolRole = "chaosrig_pool"

    /// - Parameter link: with it the relay is in the server's network, so that packets between pool and relay pass the link.
    private static func startRelay(to url: String, in link: PrivateLink?, seed: UInt64) async throws(RunError)
        -> PoolRelay
    {
        do {
            guard let server = try PostgresConfiguration(url: url).servers.first else {
                throw RunError.usage("target.postgres.url names no server")
            }
            let upstream: ProxyAddress =
                server.isUnixSocket
                ? .unix(path: server.description)
                : .tcp(host: link == nil ? server.host : "127.0.0.1", port: server.port)
            var options = Relay.Options()
            options.name = "pool"
            options.seed = seed
            let chosen = options
            return try await onOwnThread(
                "start relay",
                throwing: { () throws(ProxyError) in
                    try PoolRelay(to: upstream, options: chosen, network: link?.namespace)
                })
        } catch {
            throw .cannotProceed("cannot start the relay between pool and server: \(error)")
        }
    }

    private static func loopbackPort(of servers: [PostgresEndpoint]) -> UInt16? {
        servers.first.flatMap { LoopbackAddress.contains($0.host) ? $0.port : nil }
    }
}
