import RigModel
import Testing
import Threading

@testable import FaultInjection

/// What the faults of the relay ask for, and when they count as landed.
@Suite struct RelayFaultTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let kind: String
        var parameters: [String: ParameterValue] = [:]
        let asks: [Disturbance]
        /// The effect that proves it.
        let effect: @Sendable (inout DisturbanceEffect) -> Void
        var testDescription: String { "\(kind) \(asks)" }
    }

    static let rows: [Row] = [
        Row(
            kind: "bandwidth", parameters: ["rate": .dataRate(bytesPerSecond: 150_000)],
            asks: [.toxic("bandwidth@upstream:rate=150KB/s"), .toxic("bandwidth@downstream:rate=150KB/s")],
            effect: { ($0.heldChunks, $0.medianHold) = (1, .milliseconds(3)) }),
        Row(
            kind: "blackhole", parameters: ["direction": .choice("from-server")],
            asks: [.toxic("blackhole@downstream")],
            effect: { $0.swallowedBytes = 1 }),
        Row(
            kind: "half-open", parameters: ["idle": .duration(.seconds(2))],
            asks: [.toxic("half_open:idle_ms=2000,answer=none")], effect: { $0.swallowedBytes = 1 }),
        Row(
            kind: "half-open", parameters: ["answer": .choice("reset")],
            asks: [.toxic("half_open:idle_ms=0,answer=reset")], effect: { $0.closed = 1 }),
        Row(kind: "reset", parameters: ["share": .share(0.5)], asks: [.toxic("reset~0.5")], effect: { $0.closed = 1 }),
        Row(
            kind: "refuse-connections", parameters: ["first": .count(3)],
            asks: [.toxic("refuse_first:connections=3")], effect: { $0.refused = 1 }),
        Row(
            kind: "cut", parameters: ["at": .text("lost-commit"), "times": .count(3)],
            asks: [.cut("lost-commit times=3")], effect: { $0.hits = 1 }),
        Row(
            kind: "cut",
            parameters: [
                "at": .text("before Query"), "statement": .text("^update "), "share": .share(0.5),
                "action": .choice("delay"), "delay": .duration(.milliseconds(50)),
            ], asks: [.cut("before Query statement='^update ' share=0.5 seed=0 do delay 50.0ms")],
            effect: { $0.hits = 1 }),
        Row(
            kind: "cut", parameters: ["at": .text("before Query"), "statement": .text("it's \"x\"")],
            asks: [.cut("before Query statement='it'\"'\"'s \"x\"' do reset")], effect: { $0.hits = 1 }),
        // The relay refuses it: a delay is not with this action.
        Row(
            kind: "cut", parameters: ["at": .text("before Query"), "delay": .duration(.milliseconds(50))],
            asks: [.cut("before Query do reset delay=50.0ms")], effect: { $0.hits = 1 }),
        Row(
            kind: "inject-error", parameters: ["sqlstate": .text("40001"), "on": .choice("Execute")],
            asks: [.cut("before Execute do error 40001")], effect: { $0.hits = 1 }),
        Row(
            kind: "interrupt-connect", parameters: ["evict": .flag(false), "times": .count(4)],
            asks: [.cut("before Authentication times=4 do reset")], effect: { $0.hits = 1 }),
        Row(
            kind: "interrupt-connect",
            parameters: [
                "evict": .flag(false), "when": .choice("after-startup"), "answer": .choice("fin"), "share": .share(0.5),
            ], asks: [.cut("after AuthenticationOk share=0.5 seed=0 do finish")], effect: { $0.hits = 1 }),
        Row(
            kind: "interrupt-connect",
            parameters: ["evict": .flag(false), "when": .choice("before-ready"), "answer": .choice("silence")],
            asks: [.cut("after BackendKeyData do blackhole")], effect: { $0.hits = 1 }),
        Row(
            kind: "serialization-failure", parameters: ["via": .choice("relay")],
            asks: ["Query", "Execute"].map {
                .cut("before \($0) statement='^ *(commit|end)' share=0.2 seed=0 do error 40001")
            }, effect: { $0.hits = 1 }),
    ]

    @Test("It asks the relay for what it says, lands only with its effect, and leaves nothing on", arguments: rows)
    func fault(_ row: Row) async throws {
        let fault = try #require(FaultCatalogue.make(row.kind, Parameters(row.parameters)))
        let fake = FakeStage()
        let injection = fault.makeInjection(seed: 1)
        try await injection.inject(on: fake.stage)
        #expect(fake.state.withLock { $0.begun } == row.asks)
        // What is over at once has had its effect by now; any other one has it while it lasts.
        let isLasting = type(of: fault).shape.isLasting
        if !isLasting { fake.state.withLock { row.effect(&$0.effect) } }
        let proving = Task { await injection.prove(on: fake.stage) }
        if isLasting { fake.state.withLock { row.effect(&$0.effect) } }
        let landing = await proving.value
        #expect(landing.landed)
        #expect(landing.evidence["via"] == "relay")
        #expect(try await injection.heal(on: fake.stage)["proof"] == landing.evidence["proof"])
        #expect(fake.state.withLock { $0.disturbances }.isEmpty)
    }

    @Test func withoutItsEffectItHasNotLanded() async throws {
        let fake = FakeStage()
        let injection = try #require(FaultCatalogue.make("blackhole", Parameters())).makeInjection(seed: 1)
        try await injection.inject(on: fake.stage)
        // Cancelled as by a heal that comes before the proof.
        let proving = Task { await injection.prove(on: fake.stage) }
        proving.cancel()
        let landing = await proving.value
        #expect(!landing.landed)
        #expect(landing.evidence["reason"]?.stringValue?.hasPrefix("no bytes swallowed") == true)
    }

    @Test func whatTheHealDoesProvesNothing() async throws {
        let fake = FakeStage()
        let injection = HalfOpen(Parameters(["answer": .choice("reset")])).makeInjection(seed: 1)
        try await injection.inject(on: fake.stage)
        _ = try await injection.heal(on: fake.stage)
        fake.state.withLock { $0.effect.closed = 3 }
        #expect(await !injection.prove(on: fake.stage).landed)
    }

    @Test func momentaryFaultThatHitNobodyIsKnownAtOnce() async throws {
        let fake = FakeStage()
        let injection = ResetConnections(Parameters()).makeInjection(seed: 1)
        try await injection.inject(on: fake.stage)
        let landing = await injection.prove(on: fake.stage)
        #expect(!landing.landed)
        #expect(landing.evidence["reason"] == "no connections ended")
    }

    @Test func bandwidthThatNobodyFeelsHasNotLanded() async throws {
        let fake = FakeStage()
        let injection = Bandwidth(Parameters(["rate": .dataRate(bytesPerSecond: 1e10)])).makeInjection(seed: 1)
        try await injection.inject(on: fake.stage)
        fake.state.withLock { ($0.effect.heldChunks, $0.effect.medianHold) = (9, .nanoseconds(6)) }
        let proving = Task { await injection.prove(on: fake.stage) }
        proving.cancel()
        #expect(await !proving.value.landed)
    }

    @Test func resetIsOverAtOnce() async throws {
        let fake = FakeStage()
        try await ResetConnections(Parameters()).makeInjection(seed: 1).inject(on: fake.stage)
        #expect(fake.state.withLock { $0.disturbances }.isEmpty)
    }
}
