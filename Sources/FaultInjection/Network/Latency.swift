package import RigModel
import Threading

/// Every packet between pool and server takes longer. By `tc netem` where the kernel has it, by a packet queue of the rig where
/// not, else by the rig's own relay.
///
/// Landed: a round trip on the pool's way takes as much longer as it should, at least by half.
package struct Latency: Fault {
    package static let shape = Shape(
        name: "latency", summary: "everything between pool and server is delayed, in both directions",
        parameters: [
            Parameter("latency", .duration, isRequired: true, summary: "delay in each direction"),
            Parameter("jitter", .duration, default: .duration(.zero), summary: "each delay varies by up to ± this"),
            NetworkMeans.parameter(
                [.auto, .netem, .queue, .relay],
                summary: "netem (tc), queue (NFQUEUE), relay, or auto: the first of these that works"),
        ], isLasting: true)

    let latency: Duration
    let jitter: Duration
    private let means: NetworkMeans

    package init(_ parameters: Parameters) {
        latency = parameters.duration("latency") ?? .zero
        jitter = parameters.duration("jitter") ?? .zero
        means = NetworkMeans(parameters)
    }

    package var needs: Set<StagePart> { [.link] }
    package var ownDuration: Duration? { nil }

    package var capabilities: [Set<Capability>] {
        switch means {
        case .netem: [[.netem]]
        case .queue: [[.packetQueue]]
        case .relay: [[]]
        default: [[.netem], [.packetQueue], []]
        }
    }

    package var claims: Set<Claim> { means == .netem ? [.trafficControl] : [] }

    package var detail: String {
        "\(latency.words)" + (jitter > .zero ? " ± \(jitter.words)" : "") + " each way"
    }

    package func disturbances(seed: UInt64) -> [Disturbance] {
        // Toxics count in milliseconds; a part of one is still some delay.
        func text(_ duration: Duration) -> String { "\(Int(duration.milliseconds.rounded(.up)))ms" }
        return ["upstream", "downstream"].map { stream in
            .toxic("latency@\(stream):latency=\(text(latency)),jitter=\(text(jitter))")
        }
    }

    package func makeInjection(seed: UInt64) -> any Injection { LatencyInjection(self, seed: seed) }

    /// A round trip has to show half of what both directions add at least.
    static func leastAdded(latency: Duration, jitter: Duration) -> Duration {
        max(latency - jitter, latency / 4)
    }

    /// What to try at this place, the best first.
    func means(at place: NetworkPlace?) -> [NetworkMeans] {
        guard let alternative = alternative(at: place) else { return [] }
        if alternative.isEmpty { return [.relay] }
        let known: [(NetworkMeans, Capability)] = [(.netem, .netem), (.queue, .packetQueue)]
        return known.filter { means, capability in
            place?.capabilities.contains(capability) == true && (self.means == .auto || self.means == means)
        }.map(\.0)
    }
}
