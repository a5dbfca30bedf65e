import Glibc
import RigModel
import Testing
import Threading

@testable import FaultInjection

private func land(_ fault: any Fault, on pooler: FakePooler) async throws -> (Landing, any Injection) {
    let injection = fault.makeInjection(seed: 1)
    try await injection.inject(on: pooler.stage)
    return (await injection.prove(on: pooler.stage), injection)
}

@Test func rowsOfOtherDatabasesAreNotThePools() {
    let row = ["database": "postgres", "remote_pid": "7", "state": "idle", "close_needed": "1", "port": "5"]
    #expect(PoolerServer(row, database: "postgres")?.isClosing == true)
    #expect(PoolerServer(row, database: "template1") == nil)
    #expect(PoolerServer(["database": "postgres", "remote_pid": "0"], database: "postgres") == nil)
    #expect(PoolerClient(row, database: "template1") == nil)
    #expect(PoolerClient(["database": "pgbouncer"], database: "pgbouncer") == nil)
}

@Test func restartedPoolerHasLandedWhenItRefuses() async throws {
    let pooler = FakePooler()
    let (landing, injection) = try await land(PoolerRestart(Parameters()), on: pooler)
    #expect(landing.landed)
    #expect(landing.evidence["clients_before"] == 2)
    #expect(try await injection.heal(on: pooler.stage)["new_pid"] == 200)
    #expect(try await injection.heal(on: pooler.stage)["healed_before"] == true)
}

@Test func poolerThatWaitsForItsClientsIsKilledOrHasNotLanded() async throws {
    for escalates in [true, false] {
        let pooler = FakePooler()
        pooler.state.withLock { $0.fatal = [SIGKILL] }
        let fault = PoolerRestart(
            Parameters(["signal": .choice("INT"), "escalate": .flag(escalates), "grace": .duration(.zero)]))
        let (landing, injection) = try await land(fault, on: pooler)
        #expect(landing.landed == escalates)
        if escalates { #expect(landing.evidence["killed_after_grace"] == true) }
        // Its shutdown cannot be called off: either way there is a new one.
        #expect(try await injection.heal(on: pooler.stage)["new_pid"] == 200)
    }
}

@Test func poolerThatDoesNotRunCannotBeRestarted() async throws {
    let pooler = FakePooler()
    pooler.state.withLock { $0.pid = nil }
    let injection = PoolerRestart(Parameters()).makeInjection(seed: 1)
    await #expect(throws: InjectionError.self) { try await injection.inject(on: pooler.stage) }
    #expect(try await injection.heal(on: pooler.stage)["nothing_to_undo"] == true)
    #expect(pooler.state.withLock { $0.pid } == nil)
}

@Test func killLandsOnThePoolsDatabaseOnlyAndIsResumed() async throws {
    for (database, lands) in [(nil, true), ("template1", false)] as [(String?, Bool)] {
        let pooler = FakePooler()
        let values = database.map { ["database": ParameterValue.text($0)] } ?? [:]
        let (landing, injection) = try await land(PoolerKill(Parameters(values)), on: pooler)
        #expect(landing.landed == lands)
        #expect((landing.evidence["reason"] == nil) == lands)
        #expect(pooler.state.withLock { $0.paused } == [database ?? "postgres"])
        _ = try await injection.heal(on: pooler.stage)
        #expect(pooler.state.withLock { $0.paused } == [])
    }
}

@Test func killOfAPoolWithoutConnectionsHasNotLanded() async throws {
    let pooler = FakePooler()
    pooler.state.withLock { $0.clients = [] }
    let (landing, _) = try await land(PoolerKill(Parameters()), on: pooler)
    #expect(!landing.landed)
    #expect(landing.evidence["reason"] == "the pool had no connection")
}

@Test func pauseHasLandedWhenAClientWaits() async throws {
    let pooler = FakePooler()
    pooler.state.withLock { $0.clients[1].state = "waiting" }
    let (landing, injection) = try await land(PoolerPause(Parameters()), on: pooler)
    #expect(landing.landed)
    #expect(landing.evidence["clients_waiting"] == 1)
    _ = try await injection.heal(on: pooler.stage)
    #expect(pooler.state.withLock { $0.paused } == [])
    // A RESUME of what is not paused is an error of the console: healing twice must not send it.
    let before = pooler.state.withLock { $0.commands.count }
    _ = try await injection.heal(on: pooler.stage)
    #expect(pooler.state.withLock { $0.commands.count } == before)
}

@Test func pauseThatHangsIsTakenBackAtOnceAndHasNotLanded() async throws {
    let pooler = FakePooler()
    pooler.state.withLock { $0.pauseHangs = true }
    let (landing, _) = try await land(PoolerPause(Parameters()), on: pooler)
    #expect(!landing.landed)
    #expect(landing.evidence["reason"]?.stringValue?.contains("PAUSE did not end") == true)
    #expect(pooler.state.withLock { $0.paused } == [])
}

@Test func reconnectHasLandedWhenEveryBackendIsAnother() async throws {
    let pooler = FakePooler()
    let (landing, injection) = try await land(PoolerReconnect(Parameters()), on: pooler)
    #expect(landing.landed)
    #expect(landing.evidence["backends_now"] == [111, 112])
    #expect(try await injection.heal(on: pooler.stage)["replaced"] == 2)
}

@Test func reconnectThatReplacesNothingHasNotLanded() async throws {
    for backends in [[], [11]] as [[Int32]] {
        let pooler = FakePooler()
        pooler.state.withLock { ($0.keepsBackends, $0.backends) = (true, backends) }
        let fault = PoolerReconnect(Parameters(["patience": .duration(.zero)]))
        let (landing, _) = try await land(fault, on: pooler)
        #expect(!landing.landed)
        #expect(landing.evidence["reason"] != nil)
    }
}

@Test func lifetimesAreSetProvenByTheLogAndSetBack() async throws {
    let pooler = FakePooler()
    pooler.state.withLock { $0.log = ["closing because: server lifetime over (an old one)"] }
    let fault = PoolerLifetime(Parameters(["server-lifetime": .duration(.milliseconds(500))]))
    let injection = fault.makeInjection(seed: 1)
    try await injection.inject(on: pooler.stage)
    #expect(pooler.state.withLock { $0.settings["server_lifetime"] } == "0.5")
    let stage = pooler.stage
    let proving = Task { await injection.prove(on: stage) }
    pooler.state.withLock { $0.log.append("LOG S-0x1: closing because: server lifetime over (age=0s)") }
    #expect(await proving.value.landed)
    #expect(try await injection.heal(on: pooler.stage)["closed_by_server_lifetime"] == 1)
    #expect(pooler.state.withLock { $0.settings } == ["server_lifetime": "3600", "client_idle_timeout": "0"])
}

@Test func lifetimeThatClosedNothingHasNotLanded() async throws {
    let pooler = FakePooler()
    let injection = PoolerLifetime(Parameters(["client-idle-timeout": .duration(.seconds(1))])).makeInjection(seed: 1)
    try await injection.inject(on: pooler.stage)
    let stage = pooler.stage
    let proving = Task { await injection.prove(on: stage) }
    proving.cancel()
    let landing = await proving.value
    #expect(!landing.landed)
    #expect(landing.evidence["reason"]?.stringValue?.contains("client-idle-timeout") == true)
}

@Test func targetThatTheMachineCannotHaveIsNamedWithItsRemedy() {
    let answers: [Capability: Availability] = [.pgBouncer: .missing(reason: "no program", remedy: "apt-get install x")]
    #expect(
        FaultSupport.missing("the target", of: [.pgBouncer], answers)
            == ["the target needs pgbouncer: no program. To get it: apt-get install x"])
    #expect(FaultSupport.missing("the target", of: [], answers) == [])
}

@Test(arguments: [
    ([:], false, [String?.none]), (["client-idle-timeout": ParameterValue.duration(.seconds(1))], false, []),
    (["client-idle-timeout": .duration(.seconds(1))], true, ["client-idle-timeout"]),
    (["server-lifetime": .duration(.seconds(1))], true, []),
    (["server-lifetime": .duration(.zero)], false, ["server-lifetime"]),
])
func lifetimesWithWhichNothingCouldBeClosedAreNamed(
    _ values: [String: ParameterValue], _ isBySession: Bool, _ wrong: [String?]
) {
    let problems = FaultCatalogue.problems(
        of: "pgbouncer-lifetime", with: Parameters(values), on: TargetTraits(poolsBySession: isBySession))
    #expect(problems.map(\.parameter) == wrong)
}
