package import RigModel

/// New connections that the pool tries to open are reset before they reach the server: a server or a load balancer that is just
/// coming up. Open ones are left alone; together with `reset` the pool has to open new ones. The relay counts them, and lets
/// later ones in; packet rules answer each SYN with a RST for as long as the fault lasts (`connection refused`).
///
/// Landed: the relay, or the rules, have refused connections.
package struct RefuseConnections: Fault {
    package static let shape = Shape(
        name: "refuse-connections",
        summary: "new connections are reset before they reach the server (relay or packet rules)",
        parameters: [
            Parameter(
                "first", .count, default: .count(10),
                summary: "relay: how many, counted from the beginning of the fault"),
            NetworkMeans.parameter(
                [.relay, .packets], summary: "relay, or packets (iptables: all while it lasts)"),
        ], isLasting: true)

    private let first: Int
    private let usesPackets: Bool

    package init(_ parameters: Parameters) {
        first = parameters.count("first") ?? 10
        usesPackets = NetworkMeans(parameters) == .packets
    }

    package var needs: Set<StagePart> { [.link] }
    package var capabilities: [Set<Capability>] { usesPackets ? [[.packetRules]] : [[]] }
    package var ownDuration: Duration? { nil }
    package var detail: String { usesPackets ? "all new ones" : "the first \(first)" }

    package func disturbances(seed: UInt64) -> [Disturbance] {
        usesPackets ? [] : [.toxic("refuse_first:connections=\(first)")]
    }

    package func makeInjection(seed: UInt64) -> any Injection {
        usesPackets
            ? PacketInjection([PacketRule(direction: .toServer, which: .opening, action: .reset)])
            : RelayInjection(disturbances(seed: seed), provenBy: .connectionsRefused)
    }
}
