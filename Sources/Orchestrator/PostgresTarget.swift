import ConnectionPool
import DatabaseServers
import EventLoop
import FaultInjection
import FaultProxy
import HostSystem
import PostgresDriver
import Probes
import RigModel
import ScenarioFile
import Threading
import Workloads

/// A PostgreSQL under test: a private one, or one that exists.
struct PostgresTarget: RunTarget {
    private let context: TargetContext
    /// `nil`: the server is not ours.
    private let server: ManagedPostgres?
    private let standby: ManagedPostgres?
    private let standbySession: AdminSession<PostgresDriver>?
    private let pooler: ManagedPgBouncer?
    private let container: ComposeService?
    private let configuration: PostgresConfiguration
    private let database: WorkloadDatabase<PostgresDriver>
    /// For the samples: never waits behind a final read or a fault.
    private let sampling: AdminSession<PostgresDriver>
    private let faultSession: AdminSession<PostgresDriver>
    private let relay: PoolRelay?
    private let linkSession: AdminSession<PostgresDriver>?
    private let sessionProbe: ServerSessionProbe
    private let serverVersion: String
    /// `nil`: the pool is in this process.
    private let child: PoolChild?
    private let statements: PostgresStatementControl
    private let plan: StagePlan
    let stage: FaultStage

    /// - Parameters:
    ///   - server: the private server, which runs; `nil` for one that exists.
    ///   - standby: follows it.
    ///   - pooler: in front of it, running.
    ///   - container: in which a server runs that is not ours.
    ///   - url: how to reach the server, or the pooler, as the pool does.
    ///   - adminURL: how the rig reaches it on a way that no fault disturbs.
    ///   - plan: what is needed of the way between pool and server.
    ///   - readsLittle: the relay takes in little that the pool has not read, so that the server feels a slow reader.
    ///   - child: the pool's process, not started yet; `nil`: the pool is in this one.
    init(
        context: TargetContext, server: ManagedPostgres?, standby: ManagedPostgres? = nil,
        pooler: ManagedPgBouncer? = nil, container: ComposeService? = nil, url: String, adminURL: String,
        plan: StagePlan, readsLittle: Bool, child: PoolChild?
    ) async throws(RunError) {
        self.context = context
        self.server = server
        self.standby = standby
        self.pooler = pooler
        self.container = container
        self.child = child
        let current = server.map(CurrentServer.init)
        let application = "chaosrig/\(context.runID)"
        self.plan = plan
        let relay =
            plan.needsRelay
            ? try await Self.startRelay(to: url, in: plan.link, seed: context.seed, readsLittle: readsLittle) : nil
        self.relay = relay
        do throws(PostgresConfigurationError) {
            var pool = try PostgresConfiguration(url: url)
            if server != nil { pool.user = Self.poolRole }
            let secret = PostgresSecret()
            pool.secret = secret
            pool.applicationName = application
            if let pooler {
                // PgBouncer refuses startup options; the role has the limit instead, see prepare. Statements are not
                // prepared where their server may be another one the next time.
                if pooler.pooling == .transaction { pool.statementCacheSize = 0 }
            } else if context.scenario.pool.tellsServerStatementTimeout {
                pool.serverStatementTimeout = context.settings.configuration.statementTimeout
            }
            if !context.scenario.workload.prepared { pool.statementCacheSize = 0 }
            var rig = try PostgresConfiguration(url: adminURL)
            rig.applicationName = "chaosrig-probe/\(context.runID)"
            if let server { rig.extraOptions = ServerLimits.none(major: server.serverVersionMajor) }
            rig.route = current?.rig
            var link = pool
            link.applicationName = "chaosrig-link/\(context.runID)"
            let rigDriver = PostgresDriver(configuration: rig, loop: context.rigLoop)
            let direct = link
            // Past the pooler, which lets clients in while the server is down and calls the database by another name; and to
            // the standby, once that has taken over.
            var serverDirect = if let server { try PostgresConfiguration(url: server.url) } else { link }
            serverDirect.user = link.user
            serverDirect.secret = secret
            serverDirect.applicationName = link.applicationName
            serverDirect.route = current?.direct
            let directToServer = serverDirect
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
            let makeDriver: @Sendable (PostgresConfiguration) -> PostgresDriver = {
                PostgresDriver(configuration: $0, loop: rigLoop)
            }
            statements = PostgresStatementControl(
                admin: faultSession, url: adminURL, route: current?.rig, poolRole: pool.user ?? "",
                runID: context.runID, schema: database.schema, ownOptions: rig.extraOptions, makeDriver: makeDriver)
            var stage = FaultStage(
                sessions: PostgresSessionControl(
                    admin: faultSession, probe: sessionProbe, runtime: LoopRuntime(loop: context.rigLoop)),
                server: current.map {
                    ManagedServerControl(
                        current: $0, direct: directToServer, rig: rig, secret: secret, makeDriver: makeDriver)
                }, link: linkControl, file: nil, programs: SystemPrograms(), journal: context.journal)
            stage.statements = statements
            stage.client = child
            let end = pool.endpoint ?? pool.servers.first
            if let end, !end.isUnixSocket, plan.link != nil || LoopbackAddress.contains(end.host) {
                stage.names = plan.names?.server
                stage.network = plan.place(port: end.port, runID: context.runID)
            }
            if let server {
                stage.settings = PostgresSettingsControl(
                    statements: statements, runtime: LoopRuntime(loop: context.rigLoop))
                stage.log = ServerLogFile(
                    paths: [server.logPath] + (standby.map { [$0.logPath] } ?? []), application: application)
            }
            if let server, let current, server.hasCertificate {
                stage.certificates = ManagedCertificateControl(server: server, current: current)
            }
            stage.container = container.map {
                ContainerPlace(
                    id: $0.container, service: $0.service, project: $0.project, engine: $0.engine.text)
            }
            if let pooler {
                stage.pooler = ManagedPoolerControl(pooler: pooler, direct: direct, makeDriver: makeDriver)
            }
            if let standby, let current {
                var other = rig
                other.route = PostgresRoute(PostgresEndpoint(host: standby.socketDirectory, port: standby.port))
                let session = AdminSession(driver: makeDriver(other))
                standbySession = session
                stage.standby = ManagedStandbyControl(
                    standby: standby, current: current, primary: statements, session: session, relay: relay)
            } else {
                standbySession = nil
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
        guard server != nil else {
            return configuration.maskedURL
                + (container.map { ", the compose service \($0.service) of \($0.project)" } ?? "")
        }
        return "managed PostgreSQL \(serverVersion)"
            + (pooler.map { " behind PgBouncer \($0.version) (\($0.pooling.rawValue) pooling)" } ?? "")
    }

    var environment: [JSONValue.Member] {
        [.init("server", .string("PostgreSQL \(serverVersion)")), .init("stage", plan.facts)]
            + (pooler.map { [.init("pooler", .string("PgBouncer \($0.version)"))] } ?? [])
    }

    func prepare(_ sink: any EventSink) async throws(RunError) {
        try await database.prepare(sink)
        guard server != nil else { return }
        var statements = ["CREATE ROLE \(Self.poolRole) LOGIN", grant]
        if pooler != nil {
            let limit = Int(context.settings.configuration.statementTimeout.milliseconds.rounded(.up))
            statements.append("ALTER ROLE \(Self.poolRole) SET statement_timeout = \(max(1, limit))")
        }
        try await makeRole(statements)
    }

    func prepareAgain(_ sink: any EventSink) async throws(RunError) {
        try await database.prepareAgain(sink)
        if server != nil { try await makeRole([grant]) }
    }

    private var grant: String {
        let schema = database.schema
        return
            "GRANT ALL ON \(schema.appendsTable), \(schema.accountsTable), \(schema.registersTable) TO \(Self.poolRole)"
    }

    private func makeRole(_ statements: [String]) async throws(RunError) {
        do {
            for text in statements { try await self.statements.run(text, within: .seconds(10)) }
        } catch {
            throw .cannotProceed("cannot make the pool's role: \(error)")
        }
    }

    func makePool(_ sink: any EventSink) async throws(RunError) -> any PoolUnderTest {
        if let child { return try await child.start(configuration, context, sink) }
        if let instead = context.decoration.instead {
            return try await ForeignPool.make(
                instead, configuration, context, begin: database.schema.begin, sink: sink)
        }
        let assembly = PoolAssembly(
            context: context, begin: database.schema.begin, askAboutCommits: context.settings.askAboutCommits,
            sink: sink)
        let driver = PostgresDriver(configuration: configuration, loops: context.poolLoops)
        return assembly.make(driver) { lease, deadline in
            try await lease.copyOut(Self.longResult, deadline: deadline) { _ = try await $0.next() }
        }
    }

    /// More than fits into the buffers on the way.
    static let longResult = "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 20000)) TO STDOUT"

    func outsideBooks(afterClose: Bool) async -> OutsideBooks {
        var books = OutsideBooks()
        if let pooler {
            // The server's sessions are the pooler's, which keeps them when clients leave: its clients are the pool's.
            if let clients = await poolerClients(of: pooler) {
                books.serverSessions = clients.count
                books.sessions = .array(clients)
            }
        } else if let result = try? await sampling.run(sessionProbe.list, within: .seconds(1)) {
            let sessions = sessionProbe.sessions(in: result)
            books.serverSessions = sessions.count
            books.poolSessions = sessions.map { session in
                PoolSession(
                    pid: Int(session.pid), state: session.state, query: session.query,
                    running: session.runningSeconds.map { .seconds($0) },
                    key: "\(session.pid) \(session.startedAt) \(session.statementStartedAt ?? "")")
            }
            books.sessions = .array(
                sessions.map {
                    ["pid": JSONValue($0.pid), "state": .string($0.state), "query": .string($0.query)]
                })
        }
        // Counted last: the look at the sessions may have opened a connection of the rig.
        if let child {
            books.clientSockets = poolPort.flatMap { child.establishedSockets(toRemotePort: $0) }
        } else if let port = poolPort, let sockets = SocketProbe.establishedSockets(toRemotePort: port) {
            books.clientSockets = sockets - ownSockets
        }
        return books
    }

    /// The pooler's clients that bear the pool's name; `nil` when it does not answer.
    private func poolerClients(of pooler: ManagedPgBouncer) async -> [JSONValue]? {
        guard let rows = try? await pooler.console("SHOW CLIENTS", within: .seconds(1)) else { return nil }
        return rows.filter { $0["application_name"] == configuration.applicationName }.map { row in
            [
                "client_port": JSONValue(row["port"]), "state": JSONValue(row["state"]),
                "since": JSONValue(row["connect_time"]),
            ]
        }
    }

    /// The rig's own connections to the port that the pool uses: that which goes the pool's way to prove faults by, and on a server
    /// that exists all others, too.
    private var ownSockets: Int {
        let link = linkSession?.isOpen == true ? 1 : 0
        guard server == nil, relay == nil else { return link }
        return link + [database.admin, sampling, faultSession].count { $0.isOpen }
    }

    func readFinalState(_ sink: any EventSink) async throws { try await database.readFinalState(sink) }

    func tearDown() async -> [String] {
        var left = await child?.shutDown() ?? []
        await linkSession?.close()
        await standbySession?.close()
        await statements.close()
        await sampling.close()
        await faultSession.close()
        if server == nil { left += await database.dropTables() }
        await database.admin.close()
        if let relay { await onOwnThread("stop relay") { relay.stop() } }
        if let pooler {
            do throws(PoolerError) { try await pooler.destroy() } catch { left.append("\(error)") }
        }
        for server in [standby, server] {
            guard let server else { continue }
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
    static let poolRole = "chaosrig_pool"

    /// - Parameter link: with it the relay is in the server's network, so that packets between pool and relay pass the link.
    private static func startRelay(
        to url: String, in link: PrivateLink?, seed: UInt64, readsLittle: Bool
    ) async throws(RunError) -> PoolRelay {
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
            // In the server's place: as that one would, it must notice clients whose last packets were lost, or their sessions
            // stay for ever.
            if link != nil { options.clientKeepalive = .seconds(1) }
            if readsLittle {
                options.receiveBytes = 64 << 10
                options.heldBytes = 64 << 10
            }
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
