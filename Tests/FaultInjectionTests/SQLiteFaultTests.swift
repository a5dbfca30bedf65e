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
