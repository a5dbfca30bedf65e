import RigModel
import Threading

/// A fault that the rig's relay between pool and server makes: some disturbances, and what shows that they had their effect.
actor RelayInjection: Injection {
    /// What proves that it landed.
    enum Proof: String {
        case bytesHeld = "bytes held for 1 ms or more"
        case bytesSwallowed = "bytes swallowed"
        case connectionsEnded = "connections ended"
        case connectionsRefused = "connections refused"
        case cutPointHit = "cut point hit"

        func isGiven(by effect: DisturbanceEffect) -> Bool {
            switch self {
            case .bytesHeld: effect.heldChunks > 0 && effect.medianHold >= RelayInjection.leastHold
            case .bytesSwallowed: effect.swallowedBytes > 0
            case .connectionsEnded: effect.closed > 0
            case .connectionsRefused: effect.refused > 0
            case .cutPointHit: effect.hits > 0
            }
        }
    }

    /// A shorter hold is none that a pool could feel.
    private static let leastHold = Duration.milliseconds(1)

    private let wanted: [Disturbance]
    private let proof: Proof
    /// It ends as soon as it has begun: what it does, it does at once.
    private let isMomentary: Bool
    private var running: [Int] = []
    /// What it had done when it was healed.
    private var healed: DisturbanceEffect?

    init(_ wanted: [Disturbance], provenBy proof: Proof, isMomentary: Bool = false) {
        self.wanted = wanted
        self.proof = proof
        self.isMomentary = isMomentary
    }

    func inject(on stage: FaultStage) async throws {
        let link = try stage.needed(stage.link, .link)
        guard link.hasRelay else { throw InjectionError("there is no relay between pool and server") }
        for disturbance in wanted { running.append(try await link.begin(disturbance)) }
        if isMomentary { for id in running { await link.end(id) } }
    }

    func prove(on stage: FaultStage) async -> Landing {
        guard let link = stage.link else { return Landing(landed: false, evidence: ["reason": "no link"]) }
        let startedAt = MonotonicInstant.now
        // What it does at once it has done by now; otherwise the effect needs traffic, which may pause.
        return await untilProven(isHealed: { isMomentary || healed != nil }) {
            let effect = await effect(link)
            if proof.isGiven(by: effect) { return Landing(landed: true, evidence: .object(facts(effect))) }
            let waited = startedAt.duration(to: .now)
            let reason = JSONValue.string("no \(proof.rawValue)" + (isMomentary ? "" : " within \(waited.words)"))
            return Landing(landed: false, evidence: .object(facts(effect) + [.init("reason", reason)]))
        }
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        guard let link = stage.link else { return [:] }
        let effect = await effect(link)
        // Before the end: a toxic that goes may close connections, which proves nothing.
        if healed == nil { healed = effect }
        // The relay's threads have let go of it when this returns.
        for id in running { await link.end(id) }
        return .object(facts(effect))
    }

    private func effect(_ link: any LinkControl) async -> DisturbanceEffect {
        if let healed { return healed }
        var sum = DisturbanceEffect()
        for id in running { sum.add(await link.effect(of: id)) }
        return sum
    }

    /// What is not zero.
    private func facts(_ effect: DisturbanceEffect) -> [JSONValue.Member] {
        var facts = [JSONValue.Member("via", "relay"), .init("proof", .string(proof.rawValue))]
        for (name, value) in [
            ("connections", effect.connections), ("refused", effect.refused), ("ended", effect.closed),
            ("delayed_chunks", effect.heldChunks), ("swallowed_bytes", effect.swallowedBytes),
            ("matches", effect.matches), ("hits", effect.hits),
        ] where value > 0 { facts.append(.init(name, JSONValue(value))) }
        if effect.heldChunks > 0 { facts.append(.init("median_hold_ms", .double(effect.medianHold.milliseconds))) }
        return facts
    }
}

extension DisturbanceEffect {
    fileprivate mutating func add(_ other: DisturbanceEffect) {
        connections += other.connections
        refused += other.refused
        closed += other.closed
        medianHold = max(medianHold, other.medianHold)
        heldChunks += other.heldChunks
        swallowedBytes += other.swallowedBytes
        matches += other.matches
        hits += other.hits
    }
}
