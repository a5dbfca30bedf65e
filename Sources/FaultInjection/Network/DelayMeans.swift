import RigModel
import Threading

/// One way to delay what passes between pool and server.
protocol DelayMeans: Sendable {
    func end(on stage: FaultStage) async throws
    /// What it did so far, for the evidence.
    func facts(on stage: FaultStage) async -> [JSONValue.Member]
}

extension NetworkMeans {
    /// Begins to delay.
    ///
    /// - Throws: why it could not; nothing is left then.
    func delay(_ fault: Latency, seed: UInt64, on stage: FaultStage) async throws -> any DelayMeans {
        switch self {
        case .netem where stage.network?.isPrivate == true:
            var words = ["netem", "delay", "\(fault.latency.nanoseconds / 1_000)us"]
            if fault.jitter > .zero { words.append("\(fault.jitter.nanoseconds / 1_000)us") }
            return LinkDelay(queues: try await LinkQueues.install(words, on: stage))
        case .netem: return try await Netem.install(latency: fault.latency, jitter: fault.jitter, on: stage)
        case .queue:
            var plan = PacketFate.Plan()
            plan.delay = Int64(clamping: fault.latency.nanoseconds)
            plan.jitter = Int64(clamping: fault.jitter.nanoseconds)
            return QueueDelay(queue: try await PacketQueueFault.begin(plan, seed: seed, on: stage))
        default:
            let link = try stage.needed(stage.link, .link)
            guard link.hasRelay else { throw InjectionError("there is no relay between pool and server") }
            var delays: [Int] = []
            for disturbance in fault.disturbances(seed: seed) { delays.append(try await link.begin(disturbance)) }
            return RelayDelay(delays: delays)
        }
    }
}

private struct LinkDelay: DelayMeans {
    let queues: LinkQueues
    func end(on stage: FaultStage) async throws { try await queues.remove(on: stage) }
    func facts(on stage: FaultStage) async -> [JSONValue.Member] { [] }
}

extension Netem: DelayMeans {
    func end(on stage: FaultStage) async throws { try await remove(on: stage) }
    func facts(on stage: FaultStage) async -> [JSONValue.Member] { [] }
}

private struct QueueDelay: DelayMeans {
    let queue: PacketQueueFault
    func end(on stage: FaultStage) async throws { try await queue.end(on: stage) }
    func facts(on stage: FaultStage) async -> [JSONValue.Member] { queue.facts }
}

private struct RelayDelay: DelayMeans {
    /// One for each direction.
    let delays: [Int]

    func end(on stage: FaultStage) async throws {
        for delay in delays { await stage.link?.end(delay) }
    }

    func facts(on stage: FaultStage) async -> [JSONValue.Member] {
        var chunks = 0
        var medians: [Duration] = []
        for delay in delays {
            guard let effect = await stage.link?.effect(of: delay) else { continue }
            chunks += effect.heldChunks
            if effect.heldChunks > 0 { medians.append(effect.medianHold) }
        }
        return [
            .init("delayed_chunks", JSONValue(chunks)),
            .init("median_hold_ms", .double((medians.min() ?? .zero).milliseconds)),
        ]
    }
}
