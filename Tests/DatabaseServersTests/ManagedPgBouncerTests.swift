import Glibc
import HostSystem
import RigTestSupport
import Testing
import Threading

@testable import DatabaseServers

@Suite struct ManagedPgBouncerTests {
    private struct Site {
        let folder: TemporaryFolder
        let journal: Journal
        let scratch: RunScratch
        let pooler: ManagedPgBouncer

        init(_ pooling: Pooling = .transaction) async throws {
            let server = try await TestPostgres.shared()
            folder = try TemporaryFolder()
            journal = try Journal.create(at: folder.file("journal.jsonl"))
            scratch = try RunScratch(runID: "pgb-\(RunScratch.newRunID())", journal: journal)
            pooler = try await ManagedPgBouncer.create(
                in: scratch, journal: journal,
                options: ManagedPgBouncer.Options(
                    serverPort: server.port, pooling: pooling, roles: [server.server.role], poolSize: 3,
                    maxClients: 50, logPath: folder.file("pgbouncer.log")))
        }

        /// One statement through it, by `psql`.
        func run(_ statement: String) async throws -> ProgramResult {
            let psql = try await PostgresInstallation.find().binFolder + "/psql"
            let role = try await TestPostgres.shared().server.role
            return try await runProgram(
                path: psql,
                arguments: [
                    "-XqAt", "-h", "127.0.0.1", "-p", "\(pooler.port)", "-U", role, "-d", "postgres", "-c", statement,
                ], environment: ["PGCONNECT_TIMEOUT": "20", "PGAPPNAME": "through"], timeout: .seconds(60))
        }

        func remove() async throws {
            try await pooler.destroy()
            try await scratch.remove()
            #expect(await journal.undoAll() == [])
        }
    }

    @Test func clientsReachTheServerAndTheConsoleSeesThem() async throws {
        let site = try await Site()
        #expect(try await site.run("select current_setting('application_name')").standardOutput == "through\n")
        let databases = try await site.pooler.console("SHOW DATABASES", within: .seconds(60))
        let pooled = try #require(databases.first { $0["name"] == site.pooler.database })
        #expect(pooled["pool_size"] == "3")
        // NULL is no value.
        #expect(pooled["force_user"] == nil)
        let servers = try await site.pooler.console("SHOW SERVERS", within: .seconds(60))
        #expect(servers.count == 1 && servers[0]["remote_pid"].flatMap(Int.init) ?? 0 > 0)
        let pid = try #require(site.pooler.process?.pid)
        var info = stat()
        #expect(stat("/proc/\(pid)", &info) == 0 && info.st_uid != 0)
        try await site.remove()
    }

    @Test(arguments: Pooling.allCases)
    func poolingIsTheOneThatWasAskedFor(_ pooling: Pooling) async throws {
        let site = try await Site(pooling)
        let rows = try await site.pooler.console("SHOW CONFIG", within: .seconds(60))
        #expect(rows.first { $0["key"] == "pool_mode" }?["value"] == pooling.rawValue)
        try await site.remove()
    }

    @Test func consoleSaysWhatItRefuses() async throws {
        let site = try await Site()
        do throws(PoolerError) {
            _ = try await site.pooler.console("RESUME nonesuch", within: .seconds(60))
            Issue.record("RESUME of a database that there is not")
        } catch {
            guard case .console("RESUME nonesuch", let sqlState?, let message) = error else { throw error }
            #expect(sqlState.count == 5 && message.contains("nonesuch"))
        }
        try await site.remove()
    }

    @Test func pauseThatCannotEndIsBounded() async throws {
        let site = try await Site(.session)
        let psql = try await PostgresInstallation.find().binFolder + "/psql"
        let role = try await TestPostgres.shared().server.role
        let client = try ChildProcess(
            SpawnRequest(
                path: psql,
                arguments: [
                    "-Xq", "-h", "127.0.0.1", "-p", "\(site.pooler.port)", "-U", role, "-d", "postgres", "-c",
                    "select pg_sleep(600)",
                ]))
        // A connection that still logs in for the client does not hold the pause up.
        var states: [String?] = []
        let limit = MonotonicInstant.now.advanced(by: .seconds(600))
        while !states.contains("active"), MonotonicInstant.now < limit {
            states = try await site.pooler.console("SHOW SERVERS", within: .seconds(60)).map { $0["state"] }
        }
        await #expect(throws: PoolerError.self) {
            try await site.pooler.console("PAUSE postgres", within: .milliseconds(200))
        }
        _ = try await site.pooler.console("RESUME postgres", within: .seconds(60))
        client.signal(SIGKILL)
        _ = await client.wait(within: .seconds(60))
        try await site.remove()
    }

    @Test(arguments: [SIGTERM, SIGKILL])
    func poolerComesBackOnTheSamePort(_ signal: Int32) async throws {
        let site = try await Site()
        let (pid, port) = (try #require(site.pooler.process?.pid), site.pooler.port)
        try site.pooler.signal(signal)
        #expect(await site.pooler.waitUntilStopped(within: .seconds(60)))
        #expect(site.pooler.process == nil)
        #expect(try await !site.run("select 1").succeeded)
        #expect(throws: PoolerError.self) { try site.pooler.signal(signal) }
        await #expect(throws: PoolerError.self) { try await site.pooler.console("SHOW VERSION", within: .seconds(5)) }

        try await site.pooler.start(within: .seconds(60))
        #expect(site.pooler.port == port)
        #expect(try #require(site.pooler.process?.pid) != pid)
        #expect(try await site.run("select 1").standardOutput == "1\n")
        try await site.remove()
    }

    @Test func whatTheJournalKnowsIsEnoughToRemoveIt() async throws {
        let site = try await Site()
        let process = try #require(site.pooler.process)
        // As the watchdog does after a SIGKILL of the rig.
        #expect(site.journal.openEntries.count == 2)
        let left = await site.journal.undoAll()
        #expect(left == [])
        #expect(!process.isAlive)
        #expect(!SmallFile.exists(site.scratch.path))
        try await site.pooler.destroy()
    }

    @Test func takenPortIsNoticedAlthoughItGoesOnWithItsSocket() async throws {
        let site = try await Site()
        let found = try await PgBouncerProgram.find()
        let folder = site.scratch.newPath("second")
        let program = PgBouncerProgram(
            program: found.path, folder: folder, user: try ProcessUser.forServer(),
            logPath: site.folder.file("second.log"), port: site.pooler.port, administrator: "someone")
        let settings = PgBouncerSettings(
            port: site.pooler.port, socketFolder: folder, usersFile: "\(folder)/users", serverPort: 1,
            pooling: .session, poolSize: 1, maxClients: 5, administrator: "someone")
        try program.prepare(settings, users: ["someone"])
        do throws(PoolerError) {
            _ = try program.start(until: .now.advanced(by: .seconds(60)))
            Issue.record("two on one port")
        } catch {
            guard case .portTaken(site.pooler.port) = error else { throw error }
        }
        try await site.remove()
    }

    @Test(arguments: [
        ("PgBouncer 1.18.0\nlibevent 2.1.12-stable", "1.18.0", true), ("PgBouncer 1.17.1", "1.17.1", false),
        ("PgBouncer 1.24.1", "1.24.1", true), ("PgBouncer 2.0dev", "2.0dev", true),
    ])
    func versionIsRead(_ text: String, _ words: String, _ isSupported: Bool) throws {
        let version = try #require(PgBouncerVersion(programOutput: text))
        #expect(version.description == words)
        #expect((version >= .oldest) == isSupported)
    }

    @Test func otherProgramsHaveNoVersion() {
        for text in ["", "postgres (PostgreSQL) 15.18", "PgBouncer", "PgBouncer one.two"] {
            #expect(PgBouncerVersion(programOutput: text) == nil)
        }
    }
}
