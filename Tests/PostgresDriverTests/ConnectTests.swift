import ConnectionPool
import DatabaseServers
import EventLoop
import Glibc
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import PostgresDriver

@Suite(.timeLimit(.minutes(15)))
struct ConnectTests {
    @Test func connectionBearsTheConfiguredNameAndOptions() async throws {
        try await withPostgres { fixture in
            let driver = fixture.driver {
                $0.applicationName = "chaosrig-test"
                $0.serverStatementTimeout = .seconds(7)
                $0.extraOptions = "-c lock_timeout=3s"
            }
            let connection = try await driver.connect(deadline: .soon)
            let result = try await connection.run(
                """
                select current_setting('application_name'), current_setting('statement_timeout'),
                  current_setting('lock_timeout'), current_setting('client_encoding'), pg_backend_pid()
                """, role: .read)
            let pid = Int64(connection.backendPID ?? 0)
            #expect(
                result.rows == [[.text("chaosrig-test"), .text("7s"), .text("3s"), .text("UTF8"), .int(pid)]])
            #expect(connection.transactionStatus == .idle)
            #expect(connection.looksAlive())
            await connection.close(deadline: .soon)
            #expect(connection.transactionStatus == .unusable)
            #expect(!connection.looksAlive())
        }
    }

    @Test func unixSocketWorks() async throws {
        let server = try await TestPostgres.shared()
        let url = "host=\(server.socketDirectory) port=\(server.port) user=\(server.server.role) dbname=postgres"
        try await withPostgres(url: url) { fixture in
            let result = try await fixture.observer.run("select inet_client_addr() is null", role: .read)
            #expect(result.rows == [[.bool(true)]])
        }
    }

    @Test func localhostNeedsNoLookUp() async throws {
        let port = try await TestPostgres.shared().port
        try await withPostgres { fixture in
            // The server listens on one of the two addresses only: the other must not spoil it.
            let driver = fixture.driver { $0.endpoint = PostgresEndpoint(host: "localhost", port: port) }
            let connection = try await driver.connect(deadline: .soon)
            try await connection.check(deadline: .soon)
            await connection.close(deadline: .soon)
        }
    }

    @Test func relayIsUsedInPlaceOfTheServer() async throws {
        try await withPostgres { fixture in
            // Nobody listens there, and nobody else can as long as the socket lives.
            let dead = loopbackSocket()
            defer { close(dead) }
            let driver = fixture.driver { $0.endpoint = PostgresEndpoint(host: "127.0.0.1", port: portOf(dead)) }
            let error = await failure { () throws(DriverError) in try await driver.connect(deadline: .soon) }
            #expect(error?.cause == .connectFailed(sqlState: nil))
            #expect(error?.message.contains("Connection refused") == true)
            #expect(error?.requestSent == false)
        }
    }

    @Test func missingDatabaseHasItsCode() async throws {
        let server = try await TestPostgres.shared()
        let error = await connectFailure(
            "postgresql://\(server.server.role)@127.0.0.1:\(server.port)/no_such_database_here")
        #expect(error?.cause == .connectFailed(sqlState: "3D000"))
        #expect(error?.message.contains("the database does not exist") == true)
    }

    @Test func roleThatMayNotLogInHasItsCode() async throws {
        let server = try await TestPostgres.shared()
        let error = await connectFailure("postgresql://no_such_role_here@127.0.0.1:\(server.port)/postgres")
        #expect(error?.cause == .connectFailed(sqlState: "28000"))
    }

    @Test func wrongPasswordHasItsCode() async throws {
        try await TestPostgres.withPrivateServer { server in
            try await withPostgres(url: server.url) { fixture in
                try await fixture.observer.run("create role guarded login password 'right'")
                // The server writes its own access rules, so that the test needs to know nothing about its folder.
                let rules = try await fixture.observer.run("show hba_file", role: .read).rows[0][0].textValue ?? ""
                try await fixture.observer.run(
                    """
                    copy (select line from (values (1, 'local all all trust'), (2, 'host all guarded all scram-sha-256'),
                      (3, 'host all all 127.0.0.1/32 trust')) as rules(n, line) order by n) to '\(rules)'
                    """)
                try await fixture.observer.run("select pg_reload_conf()")
                let port = fixture.driver.configuration.servers[0].port
                let deadline = MonotonicInstant.soon
                var error: DriverError?
                // The reload takes a moment: until then the old rules let everyone in.
                while error == nil, .now < deadline {
                    error = await connectFailure("postgresql://guarded:wrong-secret@127.0.0.1:\(port)/postgres")
                }
                #expect(error?.cause == .connectFailed(sqlState: "28P01"))
                #expect(error?.message.contains("the password is wrong") == true)
                #expect(error?.message.contains("wrong-secret") == false)
                #expect(await connectFailure("postgresql://guarded:right@127.0.0.1:\(port)/postgres") == nil)
            }
        }
    }

    @Test func listenerThatNeverAnswersFailsAtTheDeadline() async throws {
        let silent = SilentListener()
        let loop = try EventLoop()
        defer { loop.shutdown() }
        let driver = PostgresDriver(configuration: try PostgresConfiguration(url: silent.url), loop: loop)
        let (seen, deadline) = await withGrowingPatience(milliseconds: 50) { deadline in
            let error = await failure { () throws(DriverError) in try await driver.connect(deadline: deadline) }
            return (error: error, clients: await silent.acceptAll())
        } hasBegun: {
            $0.error?.message.contains("the address did not answer yet") == false
        }
        #expect(seen.error?.cause == .timedOut)
        #expect(seen.error?.message.contains("the server did not answer yet") == true)
        #expect(.now >= deadline)
        #expect(seen.clients == (1, 1))
    }

    @Test func cancelledConnectEndsAndLeavesNothing() async throws {
        let silent = SilentListener()
        let loop = try EventLoop()
        defer { loop.shutdown() }
        let driver = PostgresDriver(configuration: try PostgresConfiguration(url: silent.url), loop: loop)
        let connecting = Task(executorPreference: loop) {
            await failure { () throws(DriverError) in try await driver.connect(deadline: .soon) }
        }
        await silent.untilReached()
        connecting.cancel()
        #expect(await connecting.value?.cause == .cancelled)
        #expect(await silent.acceptAll() == (1, 1))
    }

    @Test func serverThatTalksAnotherProtocolIsRefused() async throws {
        let server = ScriptedServer([.takeStartup, .send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))])
        defer { server.stop() }
        #expect(await connectFailure(server.url)?.cause == .connectFailed(sqlState: nil))
    }

    @Test func passwordIsSentOnlyWhenAskedForAndARefusalHasItsCode() async throws {
        let server = ScriptedServer([
            .takeStartup, .send(Wire.askPassword), .send(Wire.error("FATAL", "28P01", "no")), .untilClosed,
        ])
        defer { server.stop() }
        let url = server.url.replacing("tester@", with: "tester:sesame@")
        let error = await connectFailure(url)
        #expect(error?.cause == .connectFailed(sqlState: "28P01"))
        #expect(error.map { "\($0)".contains("sesame") } == false)
    }

    /// The error of a connect; `nil` when it succeeded (the connection is closed again).
    private func connectFailure(_ url: String) async -> DriverError? {
        do {
            let loop = try EventLoop()
            defer { loop.shutdown() }
            let driver = PostgresDriver(configuration: try PostgresConfiguration(url: url), loop: loop)
            return await failure { () throws(DriverError) in
                try await driver.connect(deadline: .soon).close(deadline: .soon)
            }
        } catch {
            Issue.record(error)
            return nil
        }
    }
}
