import RigModel
import Threading

/// A fault that the rig's relay between pool and server makes: some disturbances, and what shows that they had their effect.
actor RelayInjection: Injection {
    /// What proves that it landed.
    enum Proof: String {
        case bytesHeld = "bytes held"
        case bytesSwallowed = "bytes swallowed"
        case connectionsEnded = "connections ended"
        case connectionsRefused = "connections refused"
        case cutPointHit = "cut point hit"

        func isGiven(by effect: DisturbanceEffect) -> Bool {
            switch self {
            case .bytesHeld: effect.heldChunks > 0
            case .bytesSwallowed: effect.swallowedBytes > 0
            case .connectionsEnded: effect.closed > 0
            case .connectionsRefused: effect.refused > 0
            case .cutPointHit: effect.hits > 0
            }
        }
    }

    /// The effect needs traffic, which may pause.
    private static let proofLimit = Duration.seconds(10)
    /// After the fault the pool's path must work again within this.
    private static let healLimit = Duration.seconds(10)

    private let wanted: [Disturbance]
    private let proof: Proof
    /// It ends as soon as it has begun: what it does, it does at once.
    private let isMomentary: Bool
    private var running: [Int] = []

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
        let giveUpAt = MonotonicInstant.now.advanced(by: Self.proofLimit)
        while true {
            let effect = await effect(link)
            if proof.isGiven(by: effect) { return Landing(landed: true, evidence: .object(facts(effect))) }
            if MonotonicInstant.now >= giveUpAt || Task.isCancelled {
                let reason = JSONValue.string("no \(proof.rawValue) within \(Self.proofLimit.words)")
                return Landing(landed: false, evidence: .object(facts(effect) + [.init("reason", reason)]))
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        guard let link = stage.link else { return [:] }
        for id in running { await link.end(id) }
        let effect = await effect(link)
        let giveUpAt = MonotonicInstant.now.advanced(by: Self.healLimit)
        var works = false
        repeat {
            // The first one may meet the connection that the fault broke.
            do {
                _ = try await link.roundTrip(within: .seconds(2))
                works = true
            } catch {
                await link.endRoundTrips()
            }
        } while !works && MonotonicInstant.now < giveUpAt && !Task.isCancelled
        await link.endRoundTrips()
        return .object(facts(effect) + [.init("round_trip_after", .bool(works))])
    }

    private func effect(_ link: any LinkControl) async -> DisturbanceEffect {
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
