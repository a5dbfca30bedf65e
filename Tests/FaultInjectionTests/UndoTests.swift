import Glibc
import HostSystem
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import FaultInjection

/// What a fault has changed comes back, also where something went wrong in between.
@Suite struct UndoTests {
    private let fake = FakeStage()
    private let database = FakeDatabase()
    private var stage: FaultStage { database.stage(fake) }

    @Test func rulesForLoggingInComeBackAndCountAgainWhereTheReloadFailed() async throws {
        let rules = Array("host all all 127.0.0.1/32 trust\n".utf8)
        fake.state.withLock { $0.accessRules = rules }
        database.state.withLock { $0.failures = 1 }
        let injection = RefuseAuthentication(Parameters()).makeInjection(seed: 1)
        await #expect(throws: InjectionError.self) { try await injection.inject(on: stage) }
        let facts = try await injection.heal(on: stage)
        #expect(facts["rules_restored"] == true)
        #expect(fake.state.withLock { $0.accessRules } == rules)
        #expect(database.state.withLock { $0.reloads } == 1, "the old rules count only after a reload")
        #expect(try await injection.heal(on: stage)["nothing_to_undo"] == true)
    }

    @Test func settingComesBackWhereTheServerWasAwayForAMoment() async throws {
        let injection = Reload(Parameters()).makeInjection(seed: 1)
        try await injection.inject(on: stage)
        #expect(await injection.prove(on: stage).landed)
        database.state.withLock { $0.failures = 1 }
        #expect(try await injection.heal(on: stage)["value"] == "4MB")
        #expect(database.state.withLock { $0.changes } == [:])
    }

    @Test func reloadThatCouldNotBeginHasNotLanded() async throws {
        let injection = Reload(Parameters(["setting": .text("no_such_setting")])).makeInjection(seed: 1)
        await #expect(throws: InjectionError.self) { try await injection.inject(on: stage) }
        #expect(await !injection.prove(on: stage).landed)
        #expect(try await injection.heal(on: stage)["nothing_to_undo"] == true)
    }

    @Test(arguments: ["true", "false"])
    func databaseThatWasClosedBeforeStaysClosed(_ before: String) async throws {
        database.state.withLock { state in
            state.answers = ["SELECT current_database": [["postgres"]], "SELECT datallowconn": [[before]]]
        }
        let fault = ConnectionsDisallowed(Parameters(["database": .text("template0")]))
        let injection = fault.makeInjection(seed: 1)
        try await injection.inject(on: stage)
        #expect(try await injection.heal(on: stage)["connections_allowed"] == .bool(before == "true"))
        let changes = database.state.withLock { $0.statements.filter { $0.hasPrefix("ALTER") } }
        #expect(
            changes == ["false", before].map { "ALTER DATABASE \"template0\" ALLOW_CONNECTIONS \($0)" })
    }

    @Test func databaseThatThereIsNotIsNotClosed() async throws {
        let injection = ConnectionsDisallowed(Parameters(["database": .text("it's")])).makeInjection(seed: 1)
        await #expect(throws: InjectionError.self) { try await injection.inject(on: stage) }
        #expect(database.state.withLock { $0.statements.last?.hasSuffix("datname = 'it''s'") } == true)
        #expect(try await injection.heal(on: stage)["nothing_to_undo"] == true)
    }

    @Test func sessionOfAFaultIsClosedWhateverItsStatementsCameTo() async throws {
        let failure = StatementFailure(sqlState: "42501", message: "permission denied")
        database.state.withLock { $0.refusals = ["ALTER ROLE": failure, "INSERT": failure] }
        let injection = ReadOnly(Parameters(["scope": .choice("pool-role")])).makeInjection(seed: 1)
        await #expect(throws: StatementFailure.self) { try await injection.inject(on: stage) }
        // Another fault may be the reason, so it looks again until it is told to end.
        let proof = Task { [stage] in await injection.prove(on: stage) }
        proof.cancel()
        #expect(await proof.value.evidence["write"] == "42501: permission denied")
        #expect(database.state.withLock { $0.openSessions } == 0)
    }

    // MARK: disk-full

    /// Carries out what is said to be left to do, up to the command that fails.
    private func bringBack(_ log: String, _ disk: String, failsAt failing: Int) async throws {
        for (number, command) in FullLogDisk.wayBack(of: log, from: disk).enumerated() where number < failing {
            let path = try #require(findProgram(command[0]))
            let result = try await ProgramCall(
                path: path, arguments: Array(command.dropFirst()), timeout: .seconds(60)
            ).run()
            #expect(result.succeeded, "\(command): \(result.standardError)")
        }
    }

    @Test(arguments: 0...5)
    func newestLogComesBackWhicheverStepFailedFirst(_ failing: Int) async throws {
        let temporary = try TemporaryFolder()
        defer { withExtendedLifetime(temporary) {} }
        let folder = temporary.file("server")
        try SmallFile.makeFolder(folder)
        let (log, disk) = ("\(folder)/pg_wal", "\(folder)/disk")
        for path in [disk, "\(log).before"] { try SmallFile.makeFolder(path, mode: 0o700) }
        try SmallFile.write(Array("old".utf8), to: "\(log).before/1")
        try SmallFile.write(Array("new".utf8), to: "\(disk)/1")
        #expect(symlink(disk, log) == 0)
        try await bringBack(log, disk, failsAt: failing)
        try await bringBack(log, disk, failsAt: .max)
        #expect(SmallFile.linkTarget(log) == nil)
        #expect(SmallFile.text("\(log)/1") == "new")
        #expect(SmallFile.names(in: folder).map(Set.init) == ["pg_wal", "disk"])
    }

    @Test func logThatWasOnlyMovedAwayComesBack() async throws {
        let temporary = try TemporaryFolder()
        defer { withExtendedLifetime(temporary) {} }
        let folder = temporary.file("server")
        try SmallFile.makeFolder(folder)
        try SmallFile.makeFolder("\(folder)/pg_wal.before", mode: 0o700)
        try await bringBack("\(folder)/pg_wal", "\(folder)/disk", failsAt: .max)
        #expect(SmallFile.names(in: folder) == ["pg_wal"])
    }
}
