import RigModel
import Testing
import Threading

@testable import FaultInjection

private let faults: [any Fault] = FaultCatalogue.sqlite.map { $0.init(Parameters()) }

private func healed(_ fault: any Fault, on fake: FakeStage) async throws -> (Landing, JSONValue) {
    let injection = fault.makeInjection(seed: 1)
    try await injection.inject(on: fake.stage)
    async let landing = injection.prove(on: fake.stage)
    // Ends a proof for which there is nothing.
    if !fake.state.withLock({ $0.poolWrites }) { _ = try await injection.heal(on: fake.stage) }
    let seen = await landing
    return (seen, try await injection.heal(on: fake.stage))
}

@Test func shareOfCallsIsToldInPercent() {
    func detail(_ share: Double) -> String { IOError(Parameters(["share": .share(share)])).detail }
    #expect(detail(0.05) == "each write fails, 5 % of them" && detail(0.005) == "each write fails, 0.5 % of them")
    #expect(detail(1) == "each write fails")
}

@Test(arguments: faults.indices)
func faultOfTheFileLandsWhereThePoolMeetsItAndHealsTwice(_ index: Int) async throws {
    let fake = FakeStage()
    let (landing, _) = try await healed(faults[index], on: fake)
    #expect(landing.landed, "\(landing.evidence)")
    let isClean = fake.state.withLock { state in
        state.fileWork == nil && !state.isLocked && state.fileDisturbances.isEmpty && !state.isReplaced
    }
    #expect(isClean)
}

@Test(arguments: faults.indices)
func faultOfTheFileThatThePoolDoesNotMeetDoesNotLand(_ index: Int) async throws {
    let fake = FakeStage()
    fake.state.withLock { $0.poolWrites = false }
    let (landing, _) = try await healed(faults[index], on: fake)
    #expect(!landing.landed)
    #expect(landing.evidence["reason"]?.stringValue?.isEmpty == false)
}

@Test func lockThatStopsNobodyDoesNotLand() async throws {
    let fake = FakeStage()
    fake.state.withLock { state in
        state.ignoresLock = true
        state.poolWrites = false
    }
    #expect(try await !healed(LockDatabase(Parameters()), on: fake).0.landed)
}

@Test func lockThatIsNotGivenUpIsAFailedHealing() async {
    let fake = FakeStage()
    fake.state.withLock { $0.isLocked = true }
    await #expect(throws: InjectionError.self) {
        try await LockDatabase(Parameters()).makeInjection(seed: 1).heal(on: fake.stage)
    }
}

@Test(arguments: faults.indices)
func refusalThatAnotherFaultExplainsIsNoFailedHealing(_ index: Int) async throws {
    let fake = FakeStage()
    let (_, _) = try await healed(faults[index], on: fake)
    fake.state.withLock { state in
        (state.isLocked, state.poolWriteCode) = (true, "SQLITE_BUSY")
        state.explained = ["SQLITE_BUSY"]
    }
    let injection = faults[index].makeInjection(seed: 1)
    _ = try await injection.heal(on: fake.stage)
}

@Test func refusalThatNothingExplainsIsAFailedHealing() async throws {
    let fake = FakeStage()
    fake.state.withLock { $0.poolWriteCode = "SQLITE_IOERR_WRITE" }
    let injection = IOError(Parameters()).makeInjection(seed: 1)
    try await injection.inject(on: fake.stage)
    await #expect(throws: InjectionError.self) { try await injection.heal(on: fake.stage) }
}

@Test(arguments: ["lock-database", "busy-storm"])
func lockOfAProcessThatHasEndedByItselfDoesNotLand(_ kind: String) async throws {
    let fake = FakeStage()
    let injection = try #require(FaultCatalogue.make(kind, Parameters())).makeInjection(seed: 1)
    try await injection.inject(on: fake.stage)
    // The pool's own writers go on refusing each other.
    fake.state.withLock { ($0.fileWork, $0.busyLocks) = (nil, 10) }
    let proving = Task { await injection.prove(on: fake.stage) }
    proving.cancel()
    let landing = await proving.value
    #expect(!landing.landed && landing.evidence["reason"]?.stringValue?.contains("ended by itself") == true)
    _ = try await injection.heal(on: fake.stage)
}

/// However late the effect is, as long as the fault lasts.
@Test func proofGoesOnUntilTheEffectTheHealingOrTheEndOfTheTask() async {
    let yes = Landing(landed: true, evidence: [:])
    let no = Landing(landed: false, evidence: [:])
    var looks = 0
    let late = await untilProven(every: .zero, isHealed: { false }) {
        looks += 1
        return looks == 1000 ? yes : no
    }
    #expect(late.landed && looks == 1000)
    let healed = await untilProven(every: .zero, isHealed: { looks > 1003 }) {
        looks += 1
        return no
    }
    #expect(!healed.landed && looks == 1004)
    let cancelled = Task { await untilProven(every: .seconds(100_000), isHealed: { false }) { no } }
    cancelled.cancel()
    #expect(await !cancelled.value.landed)
}

@Test(arguments: [
    ("slow-io", ["write": ParameterValue.duration(.zero)], ["write"]),
    (
        "slow-io", ["write": .duration(.zero), "read": .duration(.seconds(1)), "sync": .duration(.zero)],
        ["write", "sync"]
    ),
    ("io-error", ["nth": .count(0), "times": .count(0), "share": .share(0)], ["nth", "share", "times"]),
    ("sqlite-disk-full", ["times": .count(0)], ["times"]), ("corrupt-database", ["share": .share(0)], ["share"]),
    ("busy-storm", ["hold": .duration(.zero)], ["hold"]), ("slow-io", [:], []),
    ("io-error", ["nth": .count(1), "share": .share(1)], []),
])
func parametersWithWhichACallFaultCouldNeverLandAreNamed(
    _ kind: String, _ values: [String: ParameterValue], _ wrong: [String]
) {
    let problems = FaultCatalogue.problems(of: kind, with: Parameters(values), on: TargetTraits())
    #expect(problems.map(\.parameter) == wrong && problems.allSatisfy { !$0.message.isEmpty })
}

@Test func twoEndlessReadersMustNotMeetAndOtherFaultsOfTheCallsMay() {
    func conflicts(_ kinds: [String]) -> Int {
        let entries = kinds.compactMap { FaultCatalogue.make($0, Parameters()) }.map {
            FaultPlanEntry(
                fault: $0, at: .zero, every: nil, jitter: .zero, times: nil, duration: .seconds(1), group: nil)
        }
        #expect(entries.count == kinds.count)
        return FaultConflicts.find(entries, faultsPhase: .seconds(5)).count
    }
    #expect(conflicts(["checkpoint-starvation", "checkpoint-starvation"]) == 1)
    #expect(conflicts(["slow-io", "lock-database", "checkpoint-starvation", "io-error", "sqlite-read-only"]) == 0)
}

@Test func slowFileDelaysWhatIsNamedAndWritesWhereNothingIs() async throws {
    let fake = FakeStage()
    try await SlowIO(Parameters()).makeInjection(seed: 1).inject(on: fake.stage)
    #expect(
        fake.state.withLock { $0.fileDisturbances } == [FileDisturbance(.delay(.milliseconds(200)), on: .write)])
    let both = FakeStage()
    let fault = SlowIO(Parameters(["read": .duration(.milliseconds(5)), "sync": .duration(.seconds(1))]))
    try await fault.makeInjection(seed: 1).inject(on: both.stage)
    #expect(both.state.withLock { $0.fileDisturbances.map(\.call) } == [.read, .sync])
}
