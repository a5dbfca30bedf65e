import RigModel
import Testing
import Threading

@testable import FaultInjection

private let kill = KillConnections(Parameters())
private let lock = LockDatabase(Parameters())
private let restart = Restart(Parameters(["down-for": .duration(.seconds(2))]))

private func entry(
    _ fault: any Fault, at: Duration = .zero, every: Duration? = nil, jitter: Duration = .zero, times: Int? = nil,
    for duration: Duration? = nil, group: FaultGroup? = nil
) -> FaultPlanEntry {
    FaultPlanEntry(fault: fault, at: at, every: every, jitter: jitter, times: times, duration: duration, group: group)
}

private func conflicts(_ entries: [FaultPlanEntry]) -> [Int] {
    FaultConflicts.find(entries, faultsPhase: .seconds(60)).map(\.entry)
}

@Test func aSequenceBringsItsFaultsOneAfterTheOther() {
    let group = FaultGroup.sequence(number: 0, gap: .milliseconds(500))
    let plan = NemesisSchedule.plan(
        [
            entry(restart, at: .seconds(1), every: .seconds(10), group: group),
            entry(kill, at: .seconds(1), every: .seconds(10), group: group),
            entry(lock, at: .seconds(1), every: .seconds(10), for: .seconds(3), group: group),
        ], faultsPhase: .seconds(15), seed: 1)
    #expect(plan.map(\.entry) == [0, 1, 2, 0, 1, 2])
    #expect(plan.map { $0.at.milliseconds } == [1_000, 3_500, 4_000, 11_000, 13_500, 14_000])
    #expect(plan.map(\.after) == [nil, 0, 1, nil, 3, 4])
}

@Test func whatOfASequenceWouldBeginAfterTheFaultsPhaseIsNotPlanned() {
    let group = FaultGroup.sequence(number: 0, gap: .zero)
    let plan = NemesisSchedule.plan(
        [entry(restart, at: .seconds(9), group: group), entry(kill, at: .seconds(9), group: group)],
        faultsPhase: .seconds(10), seed: 1)
    #expect(plan.map(\.entry) == [0])
}

@Test func randomFaultsAreDrawnByWeightFromTheSeed() {
    func plan(seed: UInt64) -> [Int] {
        NemesisSchedule.plan(
            [
                entry(kill, every: .seconds(1), group: .random(number: 0, weight: 9)),
                entry(restart, every: .seconds(1), group: .random(number: 0, weight: 1)),
                entry(lock, at: .seconds(3), for: .seconds(1)),
            ], faultsPhase: .seconds(1_000), seed: seed
        ).map(\.entry)
    }
    let drawn = plan(seed: 7)
    #expect(drawn == plan(seed: 7) && drawn != plan(seed: 8))
    #expect(drawn.count == 1_001)
    // 100 are expected; 40 or 160 would be six deviations away.
    #expect((40...160).contains(drawn.count { $0 == 1 }))
    #expect(drawn.count { $0 == 2 } == 1)
}

@Test func faultsThatClaimTheSameMustNotMeet() {
    #expect(conflicts([entry(restart, at: .seconds(1)), entry(restart, at: .seconds(2))]) == [1])
    #expect(conflicts([entry(restart, at: .seconds(1)), entry(restart, at: .seconds(3))]) == [])
    #expect(conflicts([entry(restart, at: .seconds(1)), entry(kill, at: .seconds(2))]) == [])
    #expect(conflicts([entry(restart, every: .seconds(1))]) == [0])
    #expect(conflicts([entry(restart, every: .seconds(2))]) == [])
    #expect(conflicts([entry(restart, every: .seconds(2), jitter: .milliseconds(10))]) == [0])
    #expect(conflicts([entry(lock), entry(lock, at: .seconds(50))]) == [1], "the first lasts to the end of the phase")
    #expect(conflicts([entry(lock, at: .seconds(50), for: .seconds(1)), entry(lock, for: .seconds(2))]) == [])
}

@Test func faultsOfOneSequenceDoNotMeetButOthersMayMeetThem() {
    let group = FaultGroup.sequence(number: 4, gap: .seconds(1))
    let both = [entry(restart, at: .seconds(5), group: group), entry(restart, at: .seconds(5), group: group)]
    #expect(conflicts(both) == [])
    #expect(conflicts(both + [entry(restart, at: .seconds(9))]) == [2], "the second begins at 8 s")
    #expect(conflicts(both + [entry(restart, at: .seconds(2))]) == [])
}

@Test func aGroupMustEndBeforeItsNextTime() {
    let random = FaultGroup.random(number: 0, weight: 1)
    func pair(every: Duration) -> [FaultPlanEntry] {
        [entry(restart, every: every, group: random), entry(kill, every: every, group: random)]
    }
    #expect(conflicts(pair(every: .seconds(1))) == [0], "the next one drawn may be a restart again")
    #expect(conflicts(pair(every: .seconds(2))) == [])
    let other = Restart(Parameters(["down-for": .duration(.seconds(5))]))
    let both = [
        entry(restart, every: .seconds(3), group: random), entry(other, every: .seconds(3), group: random),
    ]
    #expect(conflicts(both) == [1, 1], "the longer one meets the shorter one, and itself")
}

@Test func aConflictNamesBothFaultsAndTheTime() throws {
    let found = FaultConflicts.find(
        [entry(restart, at: .seconds(1)), entry(restart, at: .seconds(2))], faultsPhase: .seconds(60))
    let message = try #require(found.first?.message)
    #expect(message.contains("restart and restart") && message.contains("the server's life") && message.contains("2 s"))
}

@Test(.timeLimit(.minutes(15))) func oneOfASequenceWaitsUntilTheOneBeforeItIsHealed() async {
    let (fake, sink) = (FakeStage(), FactSink())
    fake.addSessions(["idle"])
    let group = FaultGroup.sequence(number: 0, gap: .zero)
    let entries = [entry(lock, for: .seconds(1), group: group), entry(kill, group: group)]
    let nemesis = NemesisRunner(
        plan: NemesisSchedule.plan(entries, faultsPhase: .seconds(10), seed: 1), entries: entries, stage: fake.stage,
        sink: sink, seed: 1)
    let gate = Gate()
    // All times have come at once, but for the end of the first fault.
    nemesis.start { time in if time > .seconds(1) { await gate.wait() } }
    await sink.until { $0.contains("landed 0 true") }
    #expect(!sink.words.contains("inject 1"))
    gate.open()
    await sink.until { $0.contains("heal 1 ok") }
    let words = sink.words
    #expect(words.firstIndex(of: "heal 0 ok")! < words.firstIndex(of: "inject 1")!)
    #expect(await nemesis.healAll().isEmpty)
}

/// Lets nobody through until it is opened.
private final class Gate: Sendable {
    private let state = Lock((isOpen: false, waiting: [CheckedContinuation<Void, Never>]()))

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
