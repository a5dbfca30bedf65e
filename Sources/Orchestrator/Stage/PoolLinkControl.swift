import ConnectionPool
import FaultInjection
import FaultProxy
import HostSystem
import PostgresDriver
import RigModel
import Threading

/// The way between pool and server as faults see it: the rig's relay where there is one, and a connection of its own.
actor PoolLinkControl: LinkControl {
    private enum Running {
        case toxic(ActiveToxic)
        case cut(ActiveCut)
    }

    nonisolated let loopbackServerPort: UInt16?
    private let relay: Relay?
    /// Connects on the same way as the pool.
    private let session: AdminSession<PostgresDriver>
    /// One change after the other: the list that is taken last must also be the one that the relay gets last.
    private let gate = SerialGate()
    private var disturbances: [(id: Int, what: Running, isOn: Bool)] = []

    init(relay: Relay?, loopbackServerPort: UInt16?, session: AdminSession<PostgresDriver>) {
        self.relay = relay
        self.loopbackServerPort = loopbackServerPort
        self.session = session
    }

    nonisolated var hasRelay: Bool { relay != nil }

    /// - Throws: when the relay would not understand it.
    static func check(_ disturbance: Disturbance) throws {
        switch disturbance {
        case .toxic(let words): _ = try ToxicWords(words)
        case .cut(let words): _ = try CutRule(words: words)
        }
    }

    func begin(_ disturbance: Disturbance) async throws -> Int {
        guard relay != nil else { throw RunError.internalFailure("there is no relay between pool and server") }
        let id = disturbances.count + 1
        switch disturbance {
        case .toxic(let text):
            let words = try ToxicWords(text)
            let toxic = ActiveToxic(
                id: id, name: "\(words.type.name)-\(id)", stream: words.stream, toxicity: words.toxicity,
                toxic: words.toxic, record: ToxicRecord())
            disturbances.append((id, .toxic(toxic), true))
        case .cut(let text):
            let cut = ActiveCut(name: "cut-\(id)", rule: try CutRule(words: text), record: CutRecord())
            disturbances.append((id, .cut(cut), true))
        }
        await apply()
        return id
    }

    func end(_ disturbance: Int) async {
        guard let index = disturbances.firstIndex(where: { $0.id == disturbance && $0.isOn }) else { return }
        disturbances[index].isOn = false
        await apply()
    }

    /// Waits for the relay's threads: on a thread that may.
    private func apply() async { await gate.pass { await applyAll() } }

    private func applyAll() async {
        var toxics: [ActiveToxic] = []
        var cuts: [ActiveCut] = []
        for disturbance in disturbances where disturbance.isOn {
            switch disturbance.what {
            case .toxic(let toxic): toxics.append(toxic)
            case .cut(let cut): cuts.append(cut)
            }
        }
        await onOwnThread("disturb") { [relay, toxics, cuts] in
            relay?.setToxics(toxics)
            relay?.setCuts(cuts)
        }
    }

    func effect(of disturbance: Int) async -> DisturbanceEffect {
        var effect = DisturbanceEffect()
        switch disturbances.first(where: { $0.id == disturbance })?.what {
        case .toxic(let toxic):
            let counts = toxic.record.snapshot
            effect.connections = counts.connections
            effect.refused = counts.refused
            effect.closed = counts.closed
            effect.heldChunks = Int(clamping: counts.holds.count)
            effect.medianHold = .nanoseconds(counts.holds.nanoseconds(atQuantile: 0.5) ?? 0)
            effect.swallowedBytes = counts.swallowedBytes
        case .cut(let cut):
            effect.matches = cut.record.matches
            effect.hits = cut.record.hits
        case nil: break
        }
        return effect
    }

    func end(backends: Set<Int32>, _ manner: ConnectionEnd) async -> Set<Int32> {
        await onOwnThread("end connections") { [relay] in
            relay?.end(backends: backends, manner == .reset ? .reset : .finish) ?? []
        }
    }

    func endRoundTrips() async { await session.close() }

    func roundTrip(within limit: Duration) async throws -> Duration {
        let question = SQLStatement("SELECT 1", role: .read)
        // The first one may have to connect; only the second one is measured.
        _ = try await session.run(question, within: limit)
        let startedAt = MonotonicInstant.now
        _ = try await session.run(question, within: limit)
        return startedAt.duration(to: .now)
    }
}
