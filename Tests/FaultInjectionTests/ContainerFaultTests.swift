import HostSystem
import RigModel
import Testing
import Threading

@testable import FaultInjection

private func land(_ fault: any Fault, on engine: FakeEngine) async throws -> (Landing, any Injection) {
    let injection = fault.makeInjection(seed: 1)
    try await injection.inject(on: engine.stage)
    return (await injection.prove(on: engine.stage), injection)
}

private func make(_ kind: String, _ values: [String: ParameterValue] = [:]) throws -> any Fault {
    try #require(FaultCatalogue.make(kind, Parameters(values)))
}

private let kinds = ["container-restart", "container-kill", "container-pause", "container-disconnect"]

@Test(arguments: kinds)
func containerFaultLandsIsInTheJournalFirstAndIsHealedOnce(_ kind: String) async throws {
    let engine = FakeEngine()
    let before = engine.state.withLock { ($0.status, $0.networks.keys.sorted()) }
    let (landing, injection) = try await land(try make(kind), on: engine)
    #expect(landing.landed, "\(landing.evidence)")
    #expect(engine.state.withLock { $0.undos.count } == 1)
    #expect(engine.state.withLock { $0.status != before.0 || $0.networks.keys.sorted() != before.1 })
    _ = try await injection.heal(on: engine.stage)
    #expect(engine.state.withLock { $0.status == before.0 && $0.networks.keys.sorted() == before.1 })
    #expect(engine.state.withLock { $0.undone } == [0])
    let commands = engine.state.withLock { $0.commands.count }
    #expect(try await injection.heal(on: engine.stage)["nothing_to_undo"] == true)
    #expect(engine.state.withLock { $0.commands.count } == commands)
}

@Test(arguments: kinds)
func containerFaultWithoutEffectHasNotLanded(_ kind: String) async throws {
    let engine = FakeEngine()
    engine.state.withLock { $0.ignored = ["stop", "kill", "pause", "disconnect"] }
    let values = kind == "container-kill" ? ["grace": ParameterValue.duration(.zero)] : [:]
    let (landing, injection) = try await land(try make(kind, values), on: engine)
    #expect(!landing.landed)
    #expect(landing.evidence["reason"]?.stringValue?.isEmpty == false)
    engine.state.withLock { $0.ignored = [] }
    _ = try await injection.heal(on: engine.stage)
    #expect(engine.state.withLock { $0.status == "running" && $0.undone == [0] })
}

@Test(arguments: kinds)
func containerOfAnotherProjectIsNotTouched(_ kind: String) async throws {
    let engine = FakeEngine()
    engine.state.withLock { $0.project = "others" }
    let injection = try make(kind).makeInjection(seed: 1)
    await #expect(throws: InjectionError.self) { try await injection.inject(on: engine.stage) }
    #expect(engine.state.withLock { $0.commands.isEmpty && $0.undos.isEmpty })
}

@Test(arguments: kinds.dropLast())
func containerThatDoesNotRunCannotBeEndedOrPaused(_ kind: String) async throws {
    let engine = FakeEngine()
    engine.state.withLock { $0.status = "exited" }
    let injection = try make(kind).makeInjection(seed: 1)
    await #expect(throws: InjectionError.self) { try await injection.inject(on: engine.stage) }
    #expect(engine.state.withLock { $0.commands.isEmpty && $0.undos.isEmpty })
}

@Test func containerThatStaysDownIsNotHealed() async throws {
    let engine = FakeEngine()
    let (_, injection) = try await land(try make("container-kill"), on: engine)
    engine.state.withLock { $0.project = "others" }
    await #expect(throws: InjectionError.self) { try await injection.heal(on: engine.stage) }
    #expect(engine.state.withLock { $0.undone } == [])
}

@Test func networkComesBackUnderItsNamesAndAddress() async throws {
    let engine = FakeEngine()
    engine.state.withLock { $0.networks = ["back": ["031e97ec6dca", "db", "storage"], "front": []] }
    let (landing, injection) = try await land(try make("container-disconnect"), on: engine)
    #expect(landing.evidence["disconnected"] == ["back", "front"])
    _ = try await injection.heal(on: engine.stage)
    #expect(engine.state.withLock { $0.networks } == ["back": ["db", "storage"], "front": []])

    // One that is the beginning of the id is still a name; the engine's own alias is its first 12 digits.
    let attachment = ContainerState.Attachment(
        aliases: ["031e97ec6dca", "db", "031"], settings: [.init(option: "--ip", value: "10.1.2.3")])
    let arguments = try ContainerEngine(engine.stage).connectArguments("back", attachment)
    let names = ["--alias", "031", "--alias", "db"]
    #expect(arguments == ["network", "connect"] + names + ["--ip", "10.1.2.3", "back", FakeEngine.id])
}

@Test func networkThatCameBackWithoutANameIsAFailedHealing() async throws {
    let engine = FakeEngine()
    let (_, injection) = try await land(try make("container-disconnect"), on: engine)
    engine.state.withLock { $0.losesNames = true }
    let error = await #expect(throws: InjectionError.self) { try await injection.heal(on: engine.stage) }
    #expect(error?.description.contains("without the alias db") == true)
    #expect(engine.state.withLock { $0.undone } == [])
}

@Test func whatAnAttachmentHasLostIsNamed() throws {
    let engine = try ContainerEngine(FakeEngine().stage)
    let whole = ContainerState.Attachment(
        aliases: ["db", "031e97ec6dca"], settings: [.init(option: "--ip6", value: "fd00::5")])
    #expect(engine.missing(whole, of: whole) == nil)
    #expect(engine.missing(whole, of: nil) != nil)
    let poorer = ContainerState.Attachment(aliases: ["db"], settings: [.init(option: "--ip6", value: "fd00::6")])
    #expect(engine.missing(whole, of: poorer) == "without --ip6 fd00::5")
}

@Test func engineGetsTheTimeThatAContainerMayTakeToStop() async throws {
    let engine = FakeEngine()
    _ = try await land(try make("container-restart", ["stop-timeout": .duration(.seconds(90))]), on: engine)
    #expect(engine.state.withLock { $0.commands.first } == ["stop", "-t", "90", FakeEngine.id])
    #expect(engine.state.withLock { $0.limits.first.map { $0 > .seconds(90) } } == true)
}

@Test func networkThatTheContainerIsNotInCannotBeCut() async throws {
    let (landing, _) = try await land(
        try make("container-disconnect", ["network": .text("nonesuch")]), on: FakeEngine())
    #expect(!landing.landed)
    #expect(landing.evidence["reason"]?.stringValue?.contains("nonesuch") == true)
}

@Test func undoNamesTheEngineThatHasTheContainer() throws {
    let engine = try ContainerEngine(FakeEngine().stage)
    let attachment = ContainerState.Attachment(aliases: ["db"])
    for undo in [engine.startAgain, engine.unpause, engine.connect("back", attachment)] {
        guard case .program(let arguments, let verify) = undo else {
            Issue.record("\(undo)")
            continue
        }
        for words in [arguments, verify] {
            #expect(words.prefix(3) == ["docker", "--host", "unix:///e.sock"])
            #expect(words.last?.hasSuffix(FakeEngine.id) == true)
        }
        // Of a container that is gone: no row, and no complaint.
        #expect(verify[3] == "ps" && verify.contains("id=\(FakeEngine.id)"))
    }
}

/// One that still ends would pass for one that runs, and stay down.
@Test func undoOfAnOutageRestartsAlsoWhatStillRuns() throws {
    guard case .program(let arguments, _) = try ContainerEngine(FakeEngine().stage).startAgain else {
        Issue.record("no program")
        return
    }
    #expect(arguments.dropFirst(3).first == "restart")
}

@Test func lineOfTheEngineIsReadWithoutTheEnvironment() throws {
    #expect(!ContainerState.format.contains("Env"))
    #expect(ContainerState(output: "Error: No such container") == nil)
    #expect(ContainerState(output: "{\"state\":{}}") == nil)
    let line = """
        {"state":{"Status":"exited","Running":false,"ExitCode":137},"labels":{},"networks":\
        {"n":{"IPAMConfig":{"IPv4Address":"10.0.0.9","IPv6Address":"fd00::9","LinkLocalIPs":["169.254.1.1"]},\
        "Aliases":null,"Links":["cache:redis"],"DriverOpts":{"a.b":"c"}}}}
        """
    let state = try #require(ContainerState(output: line))
    #expect(state.exitCode == 137 && state.service == nil && !state.isRunning)
    let words = state.networks["n"]?.settings.flatMap { [$0.option, $0.value] }
    #expect(
        words == [
            "--ip", "10.0.0.9", "--ip6", "fd00::9", "--link-local-ip", "169.254.1.1", "--link", "cache:redis",
            "--driver-opt", "a.b=c",
        ])
}
