import Glibc
import HostSystem
import RigModel
import Testing
import Threading

@testable import FaultInjection

/// What counts as a proof, and what does not.
@Suite struct ProofTests {
    private let fake = FakeStage()
    private let database = FakeDatabase()
    private var stage: FaultStage { database.stage(fake) }

    // MARK: The server's log

    @Test func linesOfTheLogAreReadOnceAndCountOnce() async {
        let proof = ServerLogProof { $0.text == "deadlock detected" }
        database.writeLog("ERROR:  deadlock detected")
        await proof.begin(on: stage)
        #expect(await proof.hits(on: stage).isEmpty, "what was written before is none of the fault's")
        database.writeLog("ERROR:  deadlock detected")
        database.writeLog("LOG:  something else")
        let stage = stage
        database.state.withLock { $0.readersMeet = true }
        async let one = proof.hits(on: stage)
        async let other = proof.hits(on: stage)
        #expect(await [one.count, other.count] == [1, 1])
        database.state.withLock { $0.reads = [] }
        #expect(await proof.hits(on: stage).count == 1)
        #expect(database.state.withLock { $0.reads } == [3])
    }

    // MARK: cancel-statements

    @Test(arguments: [true, false])
    func endOfAStatementIsNoProofThatItWasCancelled(_ workloadMetIt: Bool) async throws {
        fake.addSessions(["active"])
        var stage = fake.stage
        stage.workload = FakeWitness(fake: fake, sees: workloadMetIt)
        let injection = CancelStatements(Parameters()).makeInjection(seed: 1)
        try await injection.inject(on: stage)
        let landing = await injection.prove(on: stage)
        #expect(landing.landed == workloadMetIt, "\(landing.evidence.prettyText)")
        #expect((landing.evidence["reason"] == nil) == workloadMetIt)
        #expect(fake.state.withLock { $0.sessions[0].state } == "idle")
    }

    // MARK: slow-statements

    private func measured(_ milliseconds: [Int?]) -> SlowStatements.Measured {
        var measured = SlowStatements.Measured()
        for (kind, time) in zip(SlowStatements.Measured.kinds, milliseconds) {
            if let time { measured.took[kind] = .milliseconds(time) }
        }
        return measured
    }

    @Test(
        arguments: [
            ([1, 1, 1], [101, 101, 101], true), ([1, 1, 1], [95, 95, 95], true),
            // Slow already before.
            ([100, 100, 100], [100, 100, 100], false), ([1, 1, 60], [101, 101, 101], false),
            // Only what waited.
            ([1, 1, 1], [1, 1, 2000], false), ([1, 1, 1], [101, 101, nil], false),
            ([1, nil, 1], [101, 101, 101], false),
            ([], [], false),
        ] as [([Int?], [Int?], Bool)])
    func everyKindOfStatementMustTakeSoMuchLongerThanBefore(_ before: [Int?], _ now: [Int?], _ isSlow: Bool) {
        let reason = measured(now).reasonAgainst(.milliseconds(100), before: measured(before))
        #expect((reason == nil) == isSlow, "\(reason ?? "it is slow")")
    }

    // MARK: Passwords

    @Test(arguments: [
        ("rotate-password", RotatePassword(Parameters()) as any Fault),
        ("refuse-authentication", RefuseAuthentication(Parameters(["how": .choice("password")]))),
    ])
    func whatChangesThePoolsPasswordNeedsToHoldIt(_ kind: String, _ fault: any Fault) {
        let all = Set(StagePart.allCases)
        #expect(FaultRequirements.missing([fault], available: all).isEmpty)
        let missing = FaultRequirements.missing([fault], available: all.subtracting([.secret]))
        #expect(missing.count == 1 && missing[0].hasPrefix("\(kind) changes the password"))
    }

    @Test func ruleThatRejectsNeedsNoPassword() {
        let fault = RefuseAuthentication(Parameters())
        #expect(FaultRequirements.missing([fault], available: [.server, .settings, .statements]).isEmpty)
    }

    // MARK: Versions

    @Test(arguments: [(13, false), (14, true), (18, true)])
    func idleSessionTimeoutNeedsAServerThatKnowsIt(_ major: Int, _ isBacked: Bool) async {
        let fault = IdleSessionTimeout(Parameters())
        let answers = await CapabilityProbes.probe(
            Set(fault.capabilities.flatMap { $0 }), with: NoPrograms(), serverMajor: { major })
        #expect(FaultSupport.missing([fault], answers).isEmpty == isBacked)
    }

    private struct NoPrograms: ProgramRunner {
        func run(_ arguments: [String], in network: NetworkNamespace?, within limit: Duration) async throws -> (
            exitCode: Int32, output: String
        ) { (127, "no programs here") }
    }
}
