import DatabaseServers
import Glibc
import HostSystem
import RigTestSupport
import Testing
import Threading

/// What faults ask of a private server beyond its life.
@Suite struct ServerForFaultsTests {
    @Test func heldServerSaysThatItStartsUpAndHasItsDataAfterwards() async throws {
        try await TestPostgres.withPrivateServer { server in
            let sql = try await SQL(server)
            try await sql.run("create table kept as select generate_series(1, 1000) n")
            try server.beginShutdown(.crash)
            #expect(await server.waitUntilStopped(within: .seconds(60)))
            try await server.startHeld()
            var words = ""
            // Refused at first: it has to bind its port.
            for _ in 0..<1000 where !words.contains("starting up") && !words.contains("not accepting") {
                do { words = try await sql.run("select 1") } catch { words = "\(error)" }
            }
            #expect(words.contains("the database system is"))
            try await server.endHeldStart(within: .seconds(60))
            #expect(try await sql.run("select count(*) from kept") == "1000")
            #expect(try await sql.run("create table new (n int); select pg_is_in_recovery()") == "f")
            #expect(!SmallFile.exists(server.dataDirectory + "/recovery.signal"))
            try await server.endHeldStart(within: .seconds(60))  // none is held: nothing happens
        }
    }

    @Test func heldStartThatFailedLeavesNothingToTheNextOne() async throws {
        let folder = try TemporaryFolder()
        var options = ManagedPostgres.Options()
        options.logPath = folder.file("server.log")
        try await TestPostgres.withPrivateServer(options) { server in
            try server.beginShutdown(.fast)
            #expect(await server.waitUntilStopped(within: .seconds(60)))
            // It cannot write its log there.
            #expect(rename(server.logPath, folder.file("old.log")) == 0)
            try SmallFile.makeFolder(server.logPath, mode: 0o755)
            await #expect(throws: ServerError.self) { try await server.startHeld() }
            #expect(!SmallFile.exists(server.dataDirectory + "/recovery.signal"))
            #expect(rmdir(server.logPath) == 0)
            try await server.start(within: .seconds(60))
        }
    }

    @Test func standbyFollowsAndCanTakeOver() async throws {
        try await TestPostgres.withStandby { server, standby in
            // Acknowledged only when the standby has it.
            try await SQL(server).run("create table kept as select generate_series(1, 1000) n")
            let sql = try await SQL(standby)
            #expect(try await sql.run("select pg_is_in_recovery()") == "t")
            try server.beginShutdown(.crash)
            #expect(await server.waitUntilStopped(within: .seconds(60)))
            #expect(try await sql.run("select pg_promote()") == "t")
            #expect(try await sql.run("select count(*) from kept") == "1000")
            try await sql.run("insert into kept values (0)")
        }
    }

    @Test func certificateIsCheckedAndCanBeReplaced() async throws {
        var options = ManagedPostgres.Options()
        options.tls = true
        try await TestPostgres.withPrivateServer(options) { server in
            #expect(server.hasCertificate)
            let question = "select version is not null from pg_stat_ssl where pid = pg_backend_pid()"
            #expect(try await psql(server, question) == "t\n")
            let name = try await server.replaceCertificate()
            #expect(name == "chaosrig server 2")
            try await SQL(server).run("select pg_reload_conf()", over: server.socketDirectory)
            var words: String? = "t\n"
            for _ in 0..<1000 where words != nil { words = try await psql(server, question) }
            #expect(words == nil, "the new authority is not trusted yet")
            try server.trustNewCertificate()
            #expect(try await psql(server, question) == "t\n")
        }
    }

    /// - Returns: `nil` when the certificate was refused.
    private func psql(_ server: ManagedPostgres, _ statement: String) async throws -> String? {
        let program = try await PostgresInstallation.find().binFolder + "/psql"
        let result = try await runProgram(
            path: program, arguments: ["-X", "-q", "-A", "-t", "-c", statement, server.url], timeout: .seconds(60))
        if result.standardError.contains("certificate verify failed") { return nil }
        #expect(result.succeeded, "\(result.standardError)")
        return result.standardOutput
    }
}
