import DatabaseServers
import Glibc
import HostSystem
import RigTestSupport
import Testing
import Threading

@Suite struct ManagedPostgresTests {
    @Test func serverAnswersOverTCPAndItsSocket() async throws {
        let test = try await TestPostgres.shared()
        let sql = try await SQL(test.server)
        #expect(try await sql.run("select 41 + 1") == "42")
        #expect(try await sql.run("select 'local'", over: test.socketDirectory) == "local")
        #expect(test.url == "postgresql://chaosrig@127.0.0.1:\(test.port)/postgres")
        let version = try await sql.run("show server_version")
        #expect(version.split(separator: " ").first.map(String.init) == test.server.serverVersion)
        #expect(ServerPort.range.contains(test.port))
    }

    @Test func settingsAreThoseThatTheFaultsNeed() async throws {
        let sql = try await SQL(try await TestPostgres.shared().server)
        let names = ["fsync", "synchronous_commit", "full_page_writes", "listen_addresses", "server_encoding"]
        let shown = try await sql.run(
            "select string_agg(current_setting(n), ' ') from unnest('{\(names.joined(separator: ","))}'::text[]) n")
        #expect(shown == "off on on 127.0.0.1 UTF8")
    }

    @Test func optionsReachTheServer() async throws {
        var options = ManagedPostgres.Options()
        options.maxConnections = 13
        options.durability = .full
        options.settings = [("application_name", "it's \\ me"), ("work_mem", "1MB")]
        let folder = try TemporaryFolder()
        options.logPath = folder.file("server.log")
        try await TestPostgres.withPrivateServer(options) { server in
            let sql = try await SQL(server)
            #expect(try await sql.run("show max_connections") == "13")
            #expect(try await sql.run("show fsync") == "on")
            #expect(try await sql.run("show work_mem") == "1MB")
            #expect(try await sql.run("select boot_val <> reset_val from pg_settings where name = 'work_mem'") == "t")
            #expect(try #require(SmallFile.text(folder.file("server.log"))).contains("ready to accept connections"))
        }
    }

    @Test(arguments: PostgresShutdown.allCases)
    func serverComesBackOnTheSamePortWithItsData(_ mode: PostgresShutdown) async throws {
        try await TestPostgres.withPrivateServer { server in
            let sql = try await SQL(server)
            try await sql.run("create table kept (n int)")
            try await sql.run("insert into kept select generate_series(1, 1000)")
            let pid = try #require(server.postmasterPID())
            let port = server.port

            try server.beginShutdown(mode)
            #expect(await server.waitUntilStopped(within: .seconds(60)))
            #expect(server.postmasterPID() == nil)
            #expect(PostgresProcesses.running(on: server.dataDirectory) == [])
            await #expect(throws: SQL.Failed.self) { try await sql.run("select 1") }
            #expect(throws: ServerError.self) { try server.beginShutdown(mode) }

            try await server.start(within: .seconds(60))
            #expect(server.port == port)
            #expect(try #require(server.postmasterPID()) != pid)
            #expect(try await sql.run("select count(*) from kept") == "1000")
            try await server.start(within: .seconds(60))  // runs already: nothing happens
        }
    }

    @Test func smartShutdownWaitsForTheLastClient() async throws {
        try await TestPostgres.withPrivateServer { server in
            let sql = try await SQL(server)
            let client = try await sql.session("select pg_sleep(600)", name: "last")
            try server.beginShutdown(.smart)
            #expect(await !server.waitUntilStopped(within: .milliseconds(300)))
            #expect(server.postmasterPID() != nil)
            #expect(client.isRunning)
            // The session ends by the server's hand, and with it the server.
            try server.beginShutdown(.fast)
            #expect(await server.waitUntilStopped(within: .seconds(60)))
            #expect(await client.wait(within: .seconds(60)) != nil)
        }
    }

    /// A backend that never looks whether its postmaster lives keeps the data directory in use.
    @Test func busyBackendThatOutlivesItsPostmasterIsKilled() async throws {
        try await TestPostgres.withPrivateServer { server in
            let sql = try await SQL(server)
            let client = try await sql.session("do $$ begin loop null; end loop; end $$", name: "busy")
            try server.beginShutdown(.crash)
            #expect(await server.waitUntilStopped(within: .seconds(60)))
            #expect(PostgresProcesses.running(on: server.dataDirectory) == [])
            #expect(await client.wait(within: .seconds(60)) != nil)
            try await server.start(within: .seconds(60))
            #expect(try await sql.run("select 1") == "1")
        }
    }

    /// Nobody waited for the end: the start itself must cope with orphans and the stale pid file.
    @Test func crashedServerStartsAtOnce() async throws {
        try await TestPostgres.withPrivateServer { server in
            let sql = try await SQL(server)
            let client = try await sql.session("do $$ begin loop null; end loop; end $$", name: "busy")
            let pid = try #require(server.postmasterPID())
            try server.beginShutdown(.crash)
            let isGone = await onOwnThread("wait \(pid)") {
                Waiting.untilTrue(before: .now.advanced(by: .seconds(60))) { server.postmasterPID() == nil }
            }
            #expect(isGone)
            #expect(PostmasterFile.read(in: server.dataDirectory)?.pid == pid)
            try await server.start(within: .seconds(60))
            #expect(try await sql.run("select 1") == "1")
            #expect(await client.wait(within: .seconds(60)) != nil)
        }
    }

    @Test func serverThatIsKilledFromOutsideIsSeenAsGone() async throws {
        try await TestPostgres.withPrivateServer { server in
            let pid = try #require(server.postmasterPID())
            #expect(kill(pid, SIGKILL) == 0)
            #expect(await server.waitUntilStopped(within: .seconds(60)))
            #expect(server.postmasterPID() == nil)
        }
    }

    @Test func portThatSomebodyElseTookIsSaid() async throws {
        try await TestPostgres.withPrivateServer { server in
            try server.beginShutdown(.fast)
            #expect(await server.waitUntilStopped(within: .seconds(60)))
            let intruder = try Listener(port: server.port)
            let error = await #expect(throws: ServerError.self) { try await server.start(within: .seconds(60)) }
            guard case .portTaken(server.port)? = error else {
                Issue.record("expected portTaken(\(server.port)), got \(String(describing: error))")
                return
            }
            #expect(server.postmasterPID() == nil)
            intruder.stop()
            try await server.start(within: .seconds(60))
        }
    }

    @Test func serverThatDoesNotStartShowsItsLog() async throws {
        var options = ManagedPostgres.Options()
        options.settings = [("shared_buffers", "no number")]
        let error = await #expect(throws: ServerError.self) {
            try await TestPostgres.withPrivateServer(options) { _ in }
        }
        let words = "\(try #require(error))"
        #expect(words.hasPrefix("the PostgreSQL server did not start: it ended with exit status"))
        #expect(words.contains("shared_buffers"))
    }
}

/// A socket that listens where a server wants to.
private final class Listener: Sendable {
    private let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(bound == 0 && listen(descriptor, 1) == 0)
    }

    func stop() { close(descriptor) }
}
