import HostSystem
import RigModel
import Testing
import Threading

@testable import FaultInjection

private func landing(_ fault: any Fault, on fake: FakeStage) async throws -> (Landing, any Injection) {
    let injection = fault.makeInjection(seed: 1)
    try await injection.inject(on: fake.stage)
    return (await injection.prove(on: fake.stage), injection)
}

private let idleOnly: [String: ParameterValue] = ["select": .choice("idle-in-transaction")]

@Suite struct ServerFaultTests {
    @Test func smartShutdownThatMayNotEscalateHasFailedAndIsStillHealed() async throws {
        let fake = FakeStage()
        fake.state.withLock { $0.stopsBy = [.fast] }
        let fault = Restart(
            Parameters([
                "mode": .choice("smart"), "smart-limit": .duration(.milliseconds(1)), "escalate": .flag(false),
            ]))
        let (landing, injection) = try await landing(fault, on: fake)
        #expect(!landing.landed)
        #expect(landing.evidence["reason"]?.stringValue?.contains("still waited") == true)
        #expect(fake.state.withLock { $0.shutdowns } == [.smart])
        let facts = try await injection.heal(on: fake.stage)
        #expect(facts["new_postmaster"]?.intValue == fake.state.withLock { $0.postmaster.map(Int64.init) })
        #expect(fake.state.withLock { $0.shutdowns } == [.smart, .fast])
    }

    @Test func crashOfABackendLandsWhenEverySessionIsGone() async throws {
        let fake = FakeStage.server()
        let (landing, injection) = try await landing(Crash(Parameters()), on: fake)
        #expect(landing.landed)
        #expect(landing.evidence["sessions_before"] == 2)
        #expect(landing.evidence["sessions_left"] == 0)
        #expect(try await injection.heal(on: fake.stage)["postmaster_stayed"] == true)
    }

    @Test func crashOfABackendThatNobodyHasDoesNotLand() async throws {
        let fake = FakeStage.server()
        let (landing, injection) = try await landing(Crash(Parameters(idleOnly)), on: fake)
        #expect(!landing.landed)
        #expect(landing.evidence["reason"]?.stringValue?.contains("idle-in-transaction") == true)
        #expect(fake.state.withLock { $0.sessions.count } == 2)
        _ = try await injection.heal(on: fake.stage)
    }

    @Test func frozenServerIsAnnouncedBeforeAndContinuedAlsoWhereAProcessHasEnded() async throws {
        let fake = FakeStage.server()
        let (landing, injection) = try await landing(Freeze(Parameters()), on: fake)
        #expect(landing.landed)
        #expect(landing.evidence["stopped"] == 4)
        let processes = fake.state.withLock { $0.processes }
        #expect(
            fake.state.withLock { $0.undos }
                == processes.map { .continueProcess(pid: $0.pid, startTicks: $0.startTicks) })
        fake.state.withLock { state in
            state.processes.removeAll { $0.pid == 3 }
            state.stopped = state.stopped.filter { $0.pid != 3 }
        }
        let facts = try await injection.heal(on: fake.stage)
        #expect(facts["continued"] == 3)
        #expect(facts["ended_meanwhile"] == 1)
        #expect(fake.state.withLock { $0.stopped } == [])
        #expect(fake.state.withLock { $0.undone } == 4)
        #expect(try await injection.heal(on: fake.stage)["continued"] == 0, "healing again does nothing")
    }

    @Test(arguments: [("postmaster", Set<Int32>([100])), ("backend", Set<Int32>([2]))])
    func freezeStopsNothingElse(_ what: String, _ pids: Set<Int32>) async throws {
        let fake = FakeStage.server(["idle", "idle in transaction"])
        let fault = Freeze(Parameters(["what": .choice(what)].merging(idleOnly) { $1 }))
        let (landing, injection) = try await landing(fault, on: fake)
        #expect(landing.landed)
        #expect(Set(fake.state.withLock { $0.stopped }.map(\.pid)) == pids)
        _ = try await injection.heal(on: fake.stage)
        #expect(fake.state.withLock { $0.stopped } == [])
    }

    @Test func frozenProcessThatRunsAgainIsNoProof() async throws {
        let fake = FakeStage.server()
        let injection = Freeze(Parameters(["what": .choice("postmaster")])).makeInjection(seed: 1)
        try await injection.inject(on: fake.stage)
        fake.state.withLock { $0.stopped = [] }
        #expect(await !injection.prove(on: fake.stage).landed)
        _ = try await injection.heal(on: fake.stage)
    }

    @Test(arguments: [
        ("depth=0\nsubject=CN = chaosrig server 2\n\nissuer=CN = chaosrig authority 2", "chaosrig server 2"),
        ("subject=CN=chaosrig server 12", "chaosrig server 12"), ("no peer certificate available", nil),
    ])
    func subjectIsReadFromWhatOpensslPrints(_ output: String, _ name: String?) {
        #expect(RotateCertificate.subject(in: output) == name)
    }
}
