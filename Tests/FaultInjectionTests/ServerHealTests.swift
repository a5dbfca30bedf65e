import HostSystem
import RigModel
import Testing
import Threading

@testable import FaultInjection

/// Heals while another fault disturbs the server as well.
@Suite(.timeLimit(.minutes(15))) struct ServerHealTests {
    @Test(
        "A heal outlasts a server that is away for a moment",
        arguments: [
            ("read-only", [:]), ("read-only", ["scope": .choice("pool-role")]), ("reload", [:]),
            ("slots-exhausted", [:]), ("connections-disallowed", [:]), ("refuse-authentication", [:]),
            ("rotate-password", [:]),
        ] as [(String, [String: ParameterValue])])
    func healWaitsForTheServer(_ kind: String, _ values: [String: ParameterValue]) async throws {
        let fake = FakeStage.server()
        let injection = try #require(FaultCatalogue.make(kind, Parameters(values))).makeInjection(seed: 1)
        try await injection.inject(on: fake.sqlStage)
        let (before, rules) = fake.state.withLock { state in
            state.statementsThatFail = 3
            return (state.statements.count, state.accessRules)
        }
        _ = try await injection.heal(on: fake.sqlStage)
        let state = fake.state.withLock { $0 }
        #expect(state.statementsThatFail == 0)
        #expect(state.statements.count > before, "it was done after all")
        #expect(state.settings.isEmpty)
        #expect(rules.isEmpty || state.accessRules.isEmpty)
    }

    @Test(
        "A server that refuses the pool's role because of another fault is healed all the same",
        arguments: [
            ("crash", [:]), ("crash", ["what": .choice("postmaster")]), ("freeze", [:]), ("starting-up", [:]),
            ("refuse-authentication", [:]), ("connections-disallowed", [:]), ("rotate-password", [:]),
        ] as [(String, [String: ParameterValue])])
    func anothersRefusalIsNoHindrance(_ kind: String, _ values: [String: ParameterValue]) async throws {
        let fake = FakeStage.server()
        let injection = try #require(FaultCatalogue.make(kind, Parameters(values))).makeInjection(seed: 1)
        try await injection.inject(on: fake.sqlStage)
        fake.state.withLock { $0.answer = .refused(sqlState: "53300", message: "too many clients already") }
        _ = try await injection.heal(on: fake.sqlStage)
    }

    @Test(
        "Whoever is not answered by the server, or with the fault's own code, is not done",
        arguments: [
            (.accepted, true), (.refused(sqlState: "28000", message: ""), true),
            (.refused(sqlState: "53300", message: ""), false), (.refused(sqlState: "57P03", message: ""), false),
            (.refused(sqlState: nil, message: "Connection refused"), false), (.noAnswer, false),
        ] as [(ConnectAnswer, Bool)])
    func onlyTheServersOwnAnswerCounts(_ answer: ConnectAnswer, _ isServing: Bool) async throws {
        let fake = FakeStage()
        fake.state.withLock { $0.answer = answer }
        let control = try #require(fake.stage.server)
        do {
            try await control.waitUntilServing(without: ["53300"], within: .milliseconds(1))
            #expect(isServing)
        } catch {
            #expect(!isServing)
            #expect("\(error)".contains(answer.words))
        }
    }

    @Test(
        "A server that no shutdown stops is killed by the heal, and started again",
        arguments: ["restart", "starting-up"])
    func healStopsItForGood(_ kind: String) async throws {
        let fake = FakeStage.server()
        fake.state.withLock { $0.stopsBy = [.crash] }
        let injection = try #require(FaultCatalogue.make(kind, Parameters())).makeInjection(seed: 1)
        await #expect(throws: InjectionError.self) { try await injection.inject(on: fake.stage) }
        _ = try await injection.heal(on: fake.stage)
        #expect(fake.state.withLock { $0.shutdowns } == [.fast, .fast, .crash])
        #expect(fake.state.withLock { $0.postmaster } == 400)
    }

    @Test("A restart whose server did not come back is not healed by a second look")
    func restartIsHealedOnlyByANewServer() async throws {
        let fake = FakeStage()
        let injection = Restart(Parameters()).makeInjection(seed: 1)
        try await injection.inject(on: fake.stage)
        fake.state.withLock { $0.shutdowns = [] }
        // The fake gives the old number again.
        for _ in 1...2 {
            await #expect(throws: InjectionError.self) { try await injection.heal(on: fake.stage) }
        }
    }

    @Test("A rotation whose time is over does not wait for the pool's new password")
    func proofOfARotationEndsWhenItIsCancelled() async throws {
        let fake = FakeStage()
        fake.state.withLock { $0.oldPassword = .refused(sqlState: "28P01", message: "wrong password") }
        let fault = RotatePassword(Parameters(["secret-follows": .duration(.seconds(86_400))]))
        let injection = fault.makeInjection(seed: 1)
        try await injection.inject(on: fake.sqlStage)
        let proof = Task { await injection.prove(on: fake.sqlStage) }
        proof.cancel()
        let landing = await proof.value
        #expect(!landing.landed)
        #expect(landing.evidence["reason"]?.stringValue?.contains("before the pool got") == true)
        _ = try await injection.heal(on: fake.sqlStage)
    }
}

/// Which faults may be there at the same time.
@Suite struct TogetherTests {
    @Test(
        "Faults that would take from each other what they need must not meet",
        arguments: [
            ("freeze", ["what": .choice("backend")], "restart", true),
            ("freeze", ["what": .choice("backend")], "kill-connections", false),
            ("connections-disallowed", [:], "read-only", true), ("connections-disallowed", [:], "crash", true),
            ("connections-disallowed", [:], "kill-connections", false),
            ("connections-disallowed", [:], "restart", false), ("slots-exhausted", [:], "slots-exhausted", true),
            ("slots-exhausted", [:], "read-only", false),
        ] as [(String, [String: ParameterValue], String, Bool)])
    func whatIsUsedIsNotTakenAway(
        _ one: String, _ values: [String: ParameterValue], _ other: String, _ isDisputed: Bool
    ) throws {
        let faults = [
            try #require(FaultCatalogue.make(one, Parameters(values))),
            try #require(FaultCatalogue.make(other, Parameters())),
        ]
        for pair in [faults, faults.reversed()] {
            let entries = pair.map {
                FaultPlanEntry(
                    fault: $0, at: .seconds(1), every: nil, jitter: .zero, times: nil, duration: .seconds(1))
            }
            let found = FaultConflicts.find(entries, faultsPhase: .seconds(10))
            #expect(found.map(\.entry) == (isDisputed ? [1] : []))
            #expect(found.allSatisfy { $0.message.contains(one) && $0.message.contains(other) })
        }
    }

    @Test("Two backends may stand still at the same time")
    func backendsMayStandStillTogether() {
        let freeze = Freeze(Parameters(["what": .choice("backend")]))
        let entries = [1, 2].map {
            FaultPlanEntry(
                fault: freeze, at: .seconds($0), every: nil, jitter: .zero, times: nil, duration: .seconds(5))
        }
        #expect(FaultConflicts.find(entries, faultsPhase: .seconds(10)).isEmpty)
    }

    @Test("A full disk of tables is refused where a standby would write to the same folder")
    func fullTableDiskWithAStandbyIsRefused() {
        func missing(_ what: String, _ parts: Set<StagePart>) -> [String] {
            let fault = DiskFull(Parameters(["what": .choice(what)]))
            return FaultRequirements.missing([fault, fault], available: parts)
        }
        let parts: Set<StagePart> = [.server, .statements, .settings]
        #expect(missing("data", parts).isEmpty)
        #expect(missing("wal", parts.union([.standby])).isEmpty)
        let refusals = missing("data", parts.union([.standby]))
        #expect(refusals.count == 1 && refusals[0].contains("standby"))
    }
}
