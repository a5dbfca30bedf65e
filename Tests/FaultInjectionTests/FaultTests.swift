import RigModel
import Testing
import Threading

@testable import FaultInjection

private func parameters(_ values: [String: ParameterValue]) -> Parameters { Parameters(values) }

private func landing(_ fault: any Fault, on fake: FakeStage) async throws -> (Landing, any Injection) {
    let injection = fault.makeInjection(seed: 1)
    try await injection.inject(on: fake.stage)
    return (await injection.prove(on: fake.stage), injection)
}

@Test func everyFaultHasItsOwnNameAndSummary() {
    let names = FaultCatalogue.shapes.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(
        FaultCatalogue.shapes.allSatisfy { !$0.summary.isEmpty && $0.parameters.allSatisfy { !$0.summary.isEmpty } })
    #expect(FaultCatalogue.make("no-such-fault", Parameters()) == nil)
}

// MARK: kill-connections

@Test(arguments: [
    ("all", ParameterValue.choice("all"), 6), ("idle", .choice("all"), 3), ("idle-in-transaction", .choice("all"), 1),
    ("in-transaction", .choice("all"), 3), ("all", .count(2), 2), ("all", .share(0.5), 3), ("idle", .share(0.01), 1),
])
func killEndsWhatItSelects(_ select: String, _ count: ParameterValue, _ expected: Int) async throws {
    let fake = FakeStage()
    fake.addSessions(["idle", "idle", "idle", "active", "active", "idle in transaction"])
    let fault = KillConnections(parameters(["select": .choice(select), "count": count]))
    let (landing, injection) = try await landing(fault, on: fake)
    #expect(landing.landed)
    #expect(landing.evidence["ended"] == JSONValue(expected))
    #expect(fake.state.withLock { $0.sessions.count } == 6 - expected)
    _ = try await injection.heal(on: fake.stage)
}

@Test func killWithoutAMatchingSessionDoesNotLand() async throws {
    for (sessions, count) in [([], ParameterValue.choice("all")), (["idle"], .count(0))] {
        let fake = FakeStage()
        fake.addSessions(sessions)
        let (landing, _) = try await landing(
            KillConnections(parameters(["select": .choice("all"), "count": count])), on: fake)
        #expect(!landing.landed)
        #expect(landing.evidence["reason"] != nil)
    }
}

@Test func killThatEndsNothingDoesNotLand() async throws {
    let fake = FakeStage()
    fake.addSessions(["idle"])
    fake.state.withLock { $0.immortal = [1] }
    let (landing, _) = try await landing(KillConnections(Parameters()), on: fake)
    #expect(!landing.landed)
}

// MARK: max-lifetime

@Test func maxLifetimeEndsOnlyWhatIsTooOld() async throws {
    let fake = FakeStage()
    fake.addSessions(["idle", "active"], age: 3)
    fake.state.withLock { $0.sessions[1].ageSeconds = 0.5 }
    let fault = MaxLifetime(parameters(["max-age": .duration(.seconds(1))]))
    let (landing, injection) = try await landing(fault, on: fake)
    #expect(landing.landed)
    let facts = try await injection.heal(on: fake.stage)
    #expect(facts["ended"] == 1)
    #expect(fake.state.withLock { $0.sessions.map(\.pid) } == [2])
}

@Test func maxLifetimeThatFindsNothingOldDoesNotLand() async throws {
    let fake = FakeStage()
    fake.addSessions(["idle"], age: 0.1)
    let injection = MaxLifetime(parameters(["max-age": .duration(.seconds(1))])).makeInjection(seed: 1)
    try await injection.inject(on: fake.stage)
    async let landing = injection.prove(on: fake.stage)
    _ = try await injection.heal(on: fake.stage)
    #expect(await !landing.landed)
}

// MARK: restart

@Test(arguments: ShutdownMode.allCases)
func restartLandsWhenTheServerIsGoneAndHealsToANewOne(_ mode: ShutdownMode) async throws {
    let fake = FakeStage()
    let (landing, injection) = try await landing(Restart(parameters(["mode": .choice(mode.rawValue)])), on: fake)
    #expect(landing.landed)
    #expect(landing.evidence["old_postmaster"] == 100)
    #expect(fake.state.withLock { $0.shutdowns } == [mode])
    let facts = try await injection.heal(on: fake.stage)
    #expect(facts["new_postmaster"] == 200)
}

@Test func smartShutdownThatWaitsForClientsBecomesAFastOne() async throws {
    let fake = FakeStage()
    fake.state.withLock { $0.stopsBy = [.fast] }
    let (landing, _) = try await landing(Restart(parameters(["mode": .choice("smart")])), on: fake)
    #expect(landing.landed)
    #expect(landing.evidence["escalated_to_fast"] == true)
    #expect(fake.state.withLock { $0.shutdowns } == [.smart, .fast])
}

@Test func serverThatDoesNotStopIsAFailedInjection() async {
    let fake = FakeStage()
    fake.state.withLock { $0.stopsBy = [] }
    await #expect(throws: InjectionError.self) {
        try await Restart(Parameters()).makeInjection(seed: 1).inject(on: fake.stage)
    }
}

// MARK: latency

@Test func latencyWithoutAStageIsMadeByTheRelayAndShowsInTheRoundTrip() async throws {
    let fake = FakeStage()
    let (landing, injection) = try await landing(
        Latency(parameters(["latency": .duration(.milliseconds(50))])), on: fake)
    #expect(landing.landed)
    #expect(landing.evidence["via"] == "relay")
    _ = try await injection.heal(on: fake.stage)
    #expect(fake.state.withLock { $0.relayDelay } == nil)
}

@Test func latencyThatChangesNothingDoesNotLand() async throws {
    let still = FakeStage()
    #expect(try await !landing(Latency(parameters(["latency": .duration(.zero)])), on: still).0.landed)
    let broken = FakeStage()
    broken.state.withLock { $0.relayWorks = false }
    #expect(try await !landing(Latency(parameters(["latency": .duration(.milliseconds(9))])), on: broken).0.landed)
}

@Test func netemIsJournalledFirstAndRemovedWhenItDoesNotBite() async throws {
    let fake = FakeStage(network: .loopback([.netem]))
    let control = TrafficControl(port: 5432, latency: .milliseconds(50), jitter: .zero)
    fake.state.withLock { state in
        for command in [TrafficControl.probe, TrafficControl.remove] + control.install {
            state.answers[command.joined(separator: " ")] = (0, "")
        }
        state.answers[TrafficControl.show.joined(separator: " ")] = (0, "qdisc noqueue 0: root refcnt 2\n")
    }
    // The fake kernel accepts everything and delays nothing.
    let fault = Latency(parameters(["latency": .duration(.milliseconds(50)), "via": .choice("netem")]))
    let (landing, injection) = try await landing(fault, on: fake)
    #expect(!landing.landed)
    #expect(landing.evidence["via"] == "netem")
    _ = try await injection.heal(on: fake.stage)
    let (undos, undone, programs) = fake.state.withLock { ($0.undos, $0.undone, $0.programs) }
    #expect(undos == [TrafficControl.undo])
    #expect(undone == 1)
    #expect(programs.contains(TrafficControl.remove))
}

@Test func trafficControlTouchesOnlyThePort() {
    let lines = TrafficControl(port: 20_001, latency: .milliseconds(50), jitter: .milliseconds(20)).install
        .map { $0.joined(separator: " ") }
    #expect(
        lines == [
            "tc qdisc add dev lo root handle c4a0: prio bands 3 priomap 1 1 1 1 1 1 0 0 1 1 1 1 1 1 1 1",
            "tc qdisc add dev lo parent c4a0:3 netem delay 50000us 20000us",
            "tc filter add dev lo parent c4a0: protocol ip prio 1 u32 match ip sport 20001 0xffff flowid c4a0:3",
            "tc filter add dev lo parent c4a0: protocol ip prio 1 u32 match ip dport 20001 0xffff flowid c4a0:3",
        ])
    #expect(TrafficControl.isUntouched("qdisc noqueue 0: root refcnt 2"))
    #expect(!TrafficControl.isUntouched("qdisc tbf 8001: root refcnt 2 rate 1Mbit"))
}

// MARK: lock-database

@Test func lockLandsWhenAWriteIsRefusedAndHealsWhenOneIsAccepted() async throws {
    let fake = FakeStage()
    let (held, injection) = try await landing(LockDatabase(Parameters()), on: fake)
    #expect(held.landed)
    #expect(try await injection.heal(on: fake.stage)["write_without_waiting"] == "SQLITE_OK")
    fake.state.withLock { $0.ignoresLock = true }
    #expect(try await !landing(LockDatabase(Parameters()), on: fake).0.landed)
}

@Test func missingPartsAreNamedWithAReason() {
    let faults: [any Fault] = [Restart(Parameters()), Restart(Parameters()), KillConnections(Parameters())]
    let missing = FaultRequirements.missing(faults, available: [.sessions])
    #expect(missing.count == 1)
    #expect(missing[0].contains("restart needs the server's host"))
    #expect(FaultRequirements.missing(faults, available: [.sessions, .server]).isEmpty)
}
