import RigModel
import Threading

/// A fault that packet rules make. Landed: they took packets of the pool.
actor PacketInjection: Injection {
    /// Which packets, found out when the fault begins; none with the reason.
    enum Aim: Sendable {
        case rules([PacketRule], facts: [JSONValue.Member] = [])
        case nothing(reason: String)
    }

    /// The effect needs traffic, which may pause.
    private static let proofLimit = Duration.seconds(10)

    private let aim: @Sendable (FaultStage) async throws -> Aim
    private var filter: PacketFilter?
    private var facts: [JSONValue.Member] = []
    private var whyNothing: String?
    /// Counted when it was healed.
    private var matched: Int?

    init(_ aim: @escaping @Sendable (FaultStage) async throws -> Aim) { self.aim = aim }

    init(_ rules: [PacketRule]) { self.init { _ in .rules(rules) } }

    func inject(on stage: FaultStage) async throws {
        switch try await aim(stage) {
        case .rules(let rules, let facts):
            self.facts = facts
            filter = try await PacketFilter.install(rules, on: stage)
        case .nothing(let reason): whyNothing = reason
        }
    }

    func prove(on stage: FaultStage) async -> Landing {
        if let whyNothing { return landing(0, stage, reason: whyNothing) }
        let startedAt = MonotonicInstant.now
        while true {
            let count = await count(on: stage)
            if count > 0 { return landing(count, stage, reason: nil) }
            if matched != nil || Task.isCancelled || startedAt.duration(to: .now) >= Self.proofLimit {
                let waited = startedAt.duration(to: .now).words
                return landing(count, stage, reason: "no packet of the pool came to the rules within \(waited)")
            }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        guard let filter else { return .object(facts) }
        let count = await count(on: stage)
        if matched == nil { matched = count }
        try await filter.remove(on: stage)
        return .object([.init("via", "packets"), .init("packets", JSONValue(count))] + facts)
    }

    private func count(on stage: FaultStage) async -> Int {
        if let matched { return matched }
        guard let filter else { return 0 }
        return (try? await filter.matched(on: stage)) ?? 0
    }

    private func landing(_ packets: Int, _ stage: FaultStage, reason: String?) -> Landing {
        var evidence: [JSONValue.Member] = [
            .init("via", "packets"), .init("where", .string(stage.network?.words ?? "")),
            .init("packets", JSONValue(packets)),
        ]
        evidence += facts
        if let reason { evidence.append(.init("reason", .string(reason))) }
        return Landing(landed: reason == nil, evidence: .object(evidence))
    }
}

extension PacketInjection.Aim {
    /// Rules for the connections with these ports on the pool's side.
    static func connections(
        _ flows: [PacketFlow], reason: String, _ rules: ([UInt16]) -> [PacketRule]
    ) -> PacketInjection.Aim {
        let ports = flows.map(\.clientPort).sorted()
        guard !ports.isEmpty else { return .nothing(reason: reason) }
        return .rules(
            rules(ports),
            facts: [
                .init("connections", JSONValue(ports.count)),
                .init("client_ports", .array(ports.prefix(20).map { JSONValue(Int($0)) })),
            ])
    }
}
