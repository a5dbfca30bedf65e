import RigModel
import Threading

/// A fault that the rig's own packet queue makes. Landed: it did to packets what it should.
actor QueueInjection: Injection {
    private static let proofLimit = Duration.seconds(10)

    private let plan: PacketFate.Plan
    private let seed: UInt64
    /// What must have happened, in words: `packets lost`.
    private let proof: String
    private let isGiven: @Sendable (PacketCounts) -> Bool
    private var running: PacketQueueFault?
    /// When it was healed.
    private var final: (counts: PacketCounts, facts: [JSONValue.Member])?

    init(_ plan: PacketFate.Plan, seed: UInt64, proof: String, isGiven: @escaping @Sendable (PacketCounts) -> Bool) {
        self.plan = plan
        self.seed = seed
        self.proof = proof
        self.isGiven = isGiven
    }

    func inject(on stage: FaultStage) async throws {
        running = try await PacketQueueFault.begin(plan, seed: seed, on: stage)
    }

    func prove(on stage: FaultStage) async -> Landing {
        let startedAt = MonotonicInstant.now
        while true {
            let now = final ?? (running?.counts ?? PacketCounts(), running?.facts ?? [])
            var evidence: [JSONValue.Member] = [
                .init("via", "queue"), .init("where", .string(stage.network?.words ?? "")),
            ]
            evidence += now.facts
            if isGiven(now.counts) { return Landing(landed: true, evidence: .object(evidence)) }
            let waited = startedAt.duration(to: .now)
            if final != nil || Task.isCancelled || waited >= Self.proofLimit {
                evidence.append(.init("reason", .string("no \(proof) within \(waited.words)")))
                return Landing(landed: false, evidence: .object(evidence))
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        guard let running else { return [:] }
        try await running.end(on: stage)
        if final == nil { final = (running.counts, running.facts) }
        return .object([.init("via", "queue")] + (final?.facts ?? []))
    }
}
