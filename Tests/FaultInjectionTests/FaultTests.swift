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

@Test func killAimsAgainWhereWhatItAimedAtLeftByItself() async throws {
    let fake = FakeStage()
    fake.addSessions(["idle"])
    fake.state.withLock { $0.leaveWhenAimedAt = 1 }
    let (landing, _) = try await landing(KillConnections(Parameters()), on: fake)
    #expect(landing.landed)
    #expect(landing.evidence["aimed_at"] == 2 && landing.evidence["ended"] == 1)
}

@Test func killEndsTheOldestFirst() async throws {
    let fake = FakeStage()
    fake.addSessions(["idle", "active", "idle"])
    fake.state.withLock { state in
        for (index, age) in [3.0, 9, 1].enumerated() { state.sessions[index].ageSeconds = age }
    }
    let fault = KillConnections(parameters(["select": .choice("oldest"), "count": .count(2)]))
    #expect(try await landing(fault, on: fake).0.landed)
    #expect(fake.state.withLock { $0.sessions.map(\.pid) } == [3])
}

@Test(arguments: ["reset", "fin"])
func killByTheRelayEndsWhatItHasChosen(_ how: String) async throws {
    let fake = FakeStage()
    fake.addSessions(["idle", "active", "active"])
    fake.state.withLock { $0.immortal = [2] }
    let fault = KillConnections(parameters(["select": .choice("in-transaction"), "how": .choice(how)]))
    #expect(fault.needs == [.sessions, .link])
    let (landing, _) = try await landing(fault, on: fake)
    #expect(landing.landed)
    #expect(landing.evidence["aimed_at"] == 2 && landing.evidence["ended"] == 1)
    #expect(fake.state.withLock { $0.sessions.map(\.pid) } == [1, 2])
}

@Test func onlyAKillOfSocketsAsksForTheMachinesHelp() {
    let kill = { KillConnections(parameters(["how": .choice($0)])) }
    #expect(kill("terminate").needs == [.sessions] && kill("terminate").capabilities == [[]])
    #expect(kill("socket-kill").needs.contains(.server) && kill("socket-kill").capabilities == [[.socketKill]])
}

@Test func socketKillNamesBothEndsAndBelievesOnlyWhatWasPrinted() {
    let kill = SocketKill(
        serverPort: 5432, clients: [.init(address: "127.0.0.1", port: 4001), .init(address: "::1", port: 4002)])
    #expect(
        kill.arguments.last == "sport = :5432 and ( dst 127.0.0.1:4001 or dst [::1]:4002 )")
    #expect(kill.closedClientPorts("") == [])
    let printed = """
        ESTAB 0 0 127.0.0.1:5432 127.0.0.1:4001
        ESTAB 0 0 127.0.0.1:5433 127.0.0.1:4002
        ESTAB 0 0 127.0.0.1:5432 127.0.0.1:4003
        RTNETLINK answers: Invalid argument
        """
    #expect(kill.closedClientPorts(printed) == [4001])
}

// MARK: cancel-statements

@Test func cancelEndsRunningStatementsOnly() async throws {
    let fake = FakeStage()
    fake.addSessions(["idle", "active", "idle in transaction", "active"])
    var stage = fake.stage
    stage.workload = FakeWitness(fake: fake)
    let injection = CancelStatements(parameters(["count": .count(1)])).makeInjection(seed: 1)
    try await injection.inject(on: stage)
    let landing = await injection.prove(on: stage)
    #expect(landing.landed)
    #expect(landing.evidence["signalled_and_ended"] == 1)
    let states = fake.state.withLock { $0.sessions.map(\.state) }
    #expect(states.count { $0 == "active" } == 1 && states[2] == "idle in transaction")
}

@Test func cancelWithoutARunningStatementDoesNotLand() async throws {
    let fake = FakeStage()
    fake.addSessions(["active"])
    fake.state.withLock { $0.immortal = [1] }
    #expect(try await !landing(CancelStatements(Parameters()), on: fake).0.landed)
}

// MARK: the server's log

@Test func logLinesOfThePoolsSessionsAreReadAndNoOthers() {
    let line = "2026-11-21 14:20:03.123 UTC [4711] chaosrig/ab1 ERROR:  deadlock detected"
    let message = ServerLogMessage(pid: 4711, severity: "ERROR", text: "deadlock detected")
    #expect(ServerLogMessage(line: line, application: "chaosrig/ab1") == message)
    for other in ["chaosrig/ab", "chaosrig/ab12", "chaosrig-probe/ab1"] {
        #expect(ServerLogMessage(line: line, application: other) == nil)
    }
    // The second line of a statement with a line break, and a line of no session.
    #expect(ServerLogMessage(line: "\tFROM a [1] chaosrig/ab1 b", application: "chaosrig/ab1") == nil)
    #expect(ServerLogMessage(line: "2026-11-21 14:20:03.123 UTC [9]  LOG:  ready", application: "chaosrig/ab1") == nil)
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

@Test func missingPartsAreNamedWithAReason() {
    let faults: [any Fault] = [Restart(Parameters()), Restart(Parameters()), KillConnections(Parameters())]
    let missing = FaultRequirements.missing(faults, available: [.sessions])
    #expect(missing.count == 1)
    #expect(missing[0].contains("restart needs the server's host"))
    #expect(FaultRequirements.missing(faults, available: [.sessions, .server]).isEmpty)
}
