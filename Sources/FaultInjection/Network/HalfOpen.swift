package import RigModel
import Threading

/// Connections that were idle are dead, and nobody was told, while new ones work: what load balancers and NAT do when they
/// forget a connection. By packet rules for these very connections on a private stage, else by the relay.
///
/// Landed: the pool has used one of them, and its packets or bytes were swallowed or answered by a reset.
package struct HalfOpen: Fault {
    package static let shape = Shape(
        name: "half-open",
        summary: "connections that were idle are dead without a word, new ones work (packet rules or relay)",
        parameters: [
            Parameter(
                "idle", .duration, default: .duration(.zero),
                summary: "connections on which nothing passed for so long, when the fault begins"),
            Parameter(
                "answer", .choice(["none", "reset"]), default: .choice("none"),
                summary: "to what the pool sends on such a connection: none (silence), or reset"),
            NetworkMeans.parameter([.auto, .packets, .relay], summary: "packets (iptables), relay, or auto"),
        ], isLasting: true)

    private let idle: Duration
    private let answer: String
    private let means: NetworkMeans

    package init(_ parameters: Parameters) {
        idle = parameters.duration("idle") ?? .zero
        answer = parameters.choice("answer") ?? "none"
        means = NetworkMeans(parameters)
    }

    package var needs: Set<StagePart> { [.link] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "connections idle for \(idle.words), answer \(answer)" }

    package var capabilities: [Set<Capability>] {
        switch means {
        case .relay: [[]]
        case .packets: [[.packetRules]]
        default: [[.packetRules], []]
        }
    }

    package func disturbances(seed: UInt64) -> [Disturbance] {
        [.toxic("half_open:idle_ms=\(Int(idle.milliseconds)),answer=\(answer)")]
    }

    package func makeInjection(seed: UInt64) -> any Injection {
        let relay = RelayInjection(
            disturbances(seed: seed), provenBy: answer == "reset" ? .connectionsEnded : .bytesSwallowed)
        return EitherWay(self, packets: packets, relay: relay)
    }

    private var packets: PacketInjection {
        let idle = idle
        let action: PacketRule.Action = answer == "reset" ? .reset : .drop
        return PacketInjection { stage in
            let flows = try await PacketFlow.all(on: stage).filter { $0.idle >= idle }
            return .connections(flows, reason: "no connection of the pool was idle for \(idle.words)") { ports in
                [
                    PacketRule(direction: .toServer, which: .clientPorts(ports), action: action),
                    // What the server says by itself (keepalive, the end of a session) is no use by the pool.
                    PacketRule(
                        direction: .fromServer, which: .clientPorts(ports), action: .drop, isProof: false),
                ]
            }
        }
    }
}
