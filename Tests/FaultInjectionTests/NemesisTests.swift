import HostSystem
import RigModel
import Testing
import Threading

@testable import FaultInjection

private func entry(
    _ fault: any Fault, at: Duration = .zero, every: Duration? = nil, jitter: Duration = .zero, times: Int? = nil,
    duration: Duration? = nil
) -> FaultPlanEntry {
    FaultPlanEntry(fault: fault, at: at, every: every, jitter: jitter, times: times, duration: duration)
}

private let kill = KillConnections(Parameters())
private let lock = LockDatabase(Parameters())
private let restart = Restart(Parameters(["down-for": .duration(.seconds(2))]))

@Test func scheduleExpandsPeriodsWithinTheFaultsPhase() {
    let plan = NemesisSchedule.plan(
        [entry(kill, at: .seconds(1), every: .seconds(3)), entry(restart, at: .seconds(4))], faultsPhase: .seconds(10),
        seed: 1)
    #expect(plan.map(\.at) == [1, 4, 4, 7].map { Duration.seconds($0) })
    #expect(plan.map(\.number) == [0, 1, 2, 3])
    #expect(plan[2].heal == .after(.seconds(2)))
    #expect(plan[0].heal == .atOnce)
}

@Test func timesLimitsThePeriods() {
    let plan = NemesisSchedule.plan(
        [entry(kill, every: .seconds(1), times: 2)], faultsPhase: .seconds(10), seed: 1)
    #expect(plan.count == 2)
}

@Test func lastingFaultsHealAfterTheirTimeOrAtTheEndOfThePhase() {
    let plan = NemesisSchedule.plan(
        [entry(lock, duration: .seconds(1)), entry(lock, at: .seconds(1))], faultsPhase: .seconds(10), seed: 1)
    #expect(plan.map(\.heal) == [.after(.seconds(1)), .at(.seconds(10))])
}

@Test func jitterIsDrawnFromTheSeedAndStaysInThePhase() {
    func plan(_ seed: UInt64) -> [Duration] {
        NemesisSchedule.plan(
            [entry(kill, every: .seconds(1), jitter: .seconds(1))], faultsPhase: .seconds(10), seed: seed
        ).map(\.at)
    }
    #expect(plan(7) == plan(7))
    #expect(plan(7) != plan(8))
    #expect(plan(7).allSatisfy { $0 >= .zero && $0 < .seconds(10) })
}

/// Time that passes when the test says so.
private actor ManualTime {
    private var passed = Duration.zero
    private var waiting: [(until: Duration, continuation: CheckedContinuation<Void, any Error>, id: Int)] = []
    private var nextID = 0

    func wait(_ until: Duration) async throws {
        let id = nextID
        nextID += 1
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else if until <= passed {
                    continuation.resume()
                } else {
                    waiting.append((until, continuation, id))
                }
            }
        } onCancel: {
            Task { await self.cancel(id) }
        }
    }

    func pass(to time: Duration) {
        passed = time
        for waiter in waiting where waiter.until <= time { waiter.continuation.resume() }
        waiting.removeAll { $0.until <= time }
    }

    private func cancel(_ id: Int) {
        for waiter in waiting where waiter.id == id { waiter.continuation.resume(throwing: CancellationError()) }
        waiting.removeAll { $0.id == id }
    }
}

private func runner(_ entries: [FaultPlanEntry], _ fake: FakeStage, _ sink: FactSink) -> NemesisRunner {
    NemesisRunner(
        plan: NemesisSchedule.plan(entries, faultsPhase: .seconds(10), seed: 1), entries: entries, stage: fake.stage,
        sink: sink, seed: 1)
}

@Test(.timeLimit(.minutes(15))) func instantFaultIsInjectedProvenAndHealedAtItsTime() async {
    let (fake, sink, time) = (FakeStage(), FactSink(), ManualTime())
    fake.addSessions(["idle"])
    let nemesis = runner([entry(kill, at: .seconds(3))], fake, sink)
    nemesis.start { try await time.wait($0) }
    await time.pass(to: .seconds(2))
    #expect(sink.words.isEmpty)
    await time.pass(to: .seconds(3))
    await sink.until { $0.count == 3 }
    #expect(sink.words == ["inject 0", "landed 0 true", "heal 0 ok"])
    #expect(await nemesis.healAll().isEmpty)
    #expect(sink.words.count == 3, "healed exactly once")
}

@Test(.timeLimit(.minutes(15))) func restartStaysDownForItsTime() async {
    let (fake, sink, time) = (FakeStage(), FactSink(), ManualTime())
    let nemesis = runner([entry(restart, at: .seconds(1))], fake, sink)
    nemesis.start { try await time.wait($0) }
    await time.pass(to: .seconds(1))
    await sink.until { $0 == ["inject 0", "landed 0 true"] }
    #expect(nemesis.activeFaults() == ["restart #0"])
    #expect(fake.state.withLock { $0.postmaster } == nil)
    await time.pass(to: .seconds(100))
    await sink.until { $0.last == "heal 0 ok" }
    #expect(nemesis.activeFaults().isEmpty)
    #expect(await nemesis.healAll().isEmpty)
}

@Test(.timeLimit(.minutes(15))) func faultThatClaimsTheSameWaitsForTheOneThatIsLate() async {
    let (fake, sink, time) = (FakeStage(), FactSink(), ManualTime())
    let nemesis = runner([entry(restart, at: .seconds(1)), entry(restart, at: .seconds(2))], fake, sink)
    nemesis.start { try await time.wait($0) }
    await time.pass(to: .seconds(1))
    await sink.until { $0.last == "landed 0 true" }
    await time.pass(to: .seconds(2))
    #expect(nemesis.activeFaults() == ["restart #0"])
    await time.pass(to: .seconds(100))
    await sink.until { $0.last == "heal 1 ok" }
    #expect(sink.words == ["inject 0", "landed 0 true", "heal 0 ok", "inject 1", "landed 1 true", "heal 1 ok"])
    #expect(await nemesis.healAll().isEmpty)
}

@Test(.timeLimit(.minutes(15))) func theEndOfTheRunHealsWhatIsStillActive() async {
    let (fake, sink, time) = (FakeStage(), FactSink(), ManualTime())
    let nemesis = runner([entry(restart), entry(lock), entry(kill, at: .seconds(9))], fake, sink)
    nemesis.start { try await time.wait($0) }
    await sink.until { words in words.count { $0.hasPrefix("landed") } == 2 }
    #expect(await nemesis.healAll().isEmpty)
    #expect(sink.words.count { $0.hasSuffix("ok forced") } == 2)
    #expect(!sink.words.contains("inject 2"), "what was not begun is never begun")
    #expect(fake.state.withLock { $0.postmaster } == 200)
}

@Test(.timeLimit(.minutes(15))) func injectionThatFailsIsHealedAndNeverLands() async {
    let (fake, sink, time) = (FakeStage(), FactSink(), ManualTime())
    fake.state.withLock { $0.postmaster = nil }
    let nemesis = runner([entry(restart)], fake, sink)
    nemesis.start { try await time.wait($0) }
    await sink.until { $0.count == 3 }
    #expect(sink.words.prefix(2) == ["inject 0", "landed 0 false"])
    #expect(await nemesis.healAll().isEmpty)
}

@Test(.timeLimit(.minutes(15))) func healThatFailsIsReportedAsLeftBehind() async {
    let (fake, sink, time) = (FakeStage(), FactSink(), ManualTime())
    fake.state.withLock { $0.startFails = true }
    let nemesis = runner([entry(restart)], fake, sink)
    nemesis.start { try await time.wait($0) }
    await sink.until { $0.count == 2 }
    let failures = await nemesis.healAll()
    #expect(failures.count == 1)
    #expect(failures.first?.contains("restart #0 could not be healed: no room") == true)
    #expect(sink.words.last == "heal 0 failed forced")
}

// MARK: Heals that fail, and faults that are late

@Test(.timeLimit(.minutes(15))) func healThatFailedAtItsTimeIsTriedAgainWhenAllOthersAreHealed() async {
    let (fake, sink, time) = (FakeStage(), FactSink(), ManualTime())
    fake.state.withLock { $0.startFails = true }
    let nemesis = runner([entry(restart)], fake, sink)
    nemesis.start { try await time.wait($0) }
    await time.pass(to: .seconds(100))
    await sink.until { $0.last == "heal 0 failed" }
    #expect(nemesis.activeFaults() == ["restart #0"])
    fake.state.withLock { $0.startFails = false }
    #expect(await nemesis.healAll().isEmpty)
    #expect(sink.words.last == "heal 0 ok forced")
    #expect(nemesis.activeFaults().isEmpty)
}

@Test(.timeLimit(.minutes(15))) func healThatAnotherFaultHindersIsTriedAgainAfterThatOnesHeal() async {
    let (fake, sink, time) = (FakeStage(), FactSink(), ManualTime())
    let isServerThere = Lock(true)
    var outage = ScriptedFault()
    outage.inject = { isServerThere.withLock { $0 = false } }
    outage.heal = { isServerThere.withLock { $0 = true } }
    var needy = ScriptedFault()
    needy.heal = { if !isServerThere.withLock({ $0 }) { throw InjectionError("Connection refused") } }
    // The later one is healed first.
    let nemesis = runner([entry(outage), entry(needy, at: .seconds(1))], fake, sink)
    nemesis.start { try await time.wait($0) }
    await sink.until { $0.contains("landed 0 true") }
    await time.pass(to: .seconds(1))
    await sink.until { words in words.count { $0.hasPrefix("landed") } == 2 }
    #expect(await nemesis.healAll().isEmpty)
    #expect(sink.words.suffix(3) == ["heal 1 failed forced", "heal 0 ok forced", "heal 1 ok forced"])
}

@Test(.timeLimit(.minutes(15))) func proofIsOverBeforeTheHealBegins() async {
    let (fake, sink) = (FakeStage(), FactSink())
    let isHealed = Lock(false)
    var fault = ScriptedFault()
    fault.prove = {
        while !Task.isCancelled, !isHealed.withLock({ $0 }) { await Task.yield() }
        return Landing(landed: !isHealed.withLock { $0 }, evidence: [:])
    }
    fault.heal = { isHealed.withLock { $0 = true } }
    let nemesis = runner([entry(fault, duration: .milliseconds(1))], fake, sink)
    nemesis.start { _ in }
    await sink.until { $0.count == 3 }
    #expect(sink.words == ["inject 0", "landed 0 true", "heal 0 ok"])
    #expect(await nemesis.healAll().isEmpty)
}

@Test(.timeLimit(.minutes(15))) func freezeThatIsShorterThanItsProofLands() async {
    let (fake, sink) = (FakeStage(), FactSink())
    fake.addSessions(["idle"])
    fake.state.withLock { $0.processes = [ProcessIdentity(pid: 1, startTicks: 10)] }
    let freeze = Freeze(Parameters(["what": .choice("backend")]))
    let nemesis = runner([entry(freeze, duration: .milliseconds(1))], fake, sink)
    nemesis.start { _ in }
    await sink.until { $0.count == 3 }
    #expect(sink.words == ["inject 0", "landed 0 true", "heal 0 ok"])
    #expect(await nemesis.healAll().isEmpty)
}

@Test(.timeLimit(.minutes(15))) func laterMemberOfASequenceLastsItsTimeAfterAnEarlierOneThatWasLate() async {
    let (fake, sink) = (FakeStage(), FactSink())
    let now = Lock(MonotonicInstant.now)
    let waits = Lock([Duration]())
    var slow = ScriptedFault()
    slow.inject = { now.withLock { $0 = $0.advanced(by: .seconds(4)) } }
    let group = FaultGroup.sequence(number: 0, gap: .milliseconds(500))
    let entries = [
        FaultPlanEntry(
            fault: slow, at: .zero, every: nil, jitter: .zero, times: nil, duration: .seconds(1), group: group),
        FaultPlanEntry(
            fault: lock, at: .zero, every: nil, jitter: .zero, times: nil, duration: .seconds(2), group: group),
    ]
    let nemesis = runner(entries, fake, sink)
    let start = now.withLock { $0 }
    nemesis.start(now: { now.withLock { $0 } }) { time in
        waits.withLock { $0.append(time) }
        now.withLock { $0 = max($0, start.advanced(by: time)) }
    }
    await sink.until { $0.last == "heal 1 ok" }
    // Planned were 0, 1, 1.5 and 3.5 s.
    #expect(waits.withLock { $0 } == [0, 5_000, 5_500, 7_500].map { Duration.milliseconds($0) })
    #expect(await nemesis.healAll().isEmpty)
}
