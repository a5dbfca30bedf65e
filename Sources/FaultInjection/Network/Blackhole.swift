package import RigModel

/// The network swallows packets between pool and server, and the sockets stay open: a firewall that drops, a cable that was
/// pulled. By packet rules on a private stage, else by the relay, which swallows bytes and can do so for all connections only.
///
/// Landed: the rules dropped packets, or the relay swallowed bytes. Through the relay connections that lost some are reset at the
/// end, since what followed could not be understood; packets are sent again by the kernel, and the connections may live.
package struct Blackhole: Fault {
    package static let shape = Shape(
        name: "blackhole",
        summary: "packets between pool and server are swallowed, sockets stay open (packet rules or relay)",
        parameters: [
            Parameter(
                "direction", .choice(["both"] + PacketRule.Direction.allCases.map(\.rawValue)),
                default: .choice("both"),
                summary: "of the packets; from-server alone loses answers to what was done"),
            Parameter(
                "connections", .choice(Connections.allCases.map(\.rawValue)), default: .choice("all"),
                summary: "all, new (those that are being opened), or established (those open when it begins)"),
            NetworkMeans.parameter(
                [.auto, .packets, .relay], summary: "packets (iptables), relay (all connections only), or auto"),
        ], isLasting: true)

    enum Connections: String, CaseIterable {
        case all
        case new
        case established
    }

    private let directions: [PacketRule.Direction]
    private let connections: Connections
    private let means: NetworkMeans

    package init(_ parameters: Parameters) {
        let direction = parameters.choice("direction").flatMap(PacketRule.Direction.init)
        directions = direction.map { [$0] } ?? PacketRule.Direction.allCases
        connections = parameters.choice("connections").flatMap(Connections.init) ?? .all
        means = NetworkMeans(parameters)
    }

    package var needs: Set<StagePart> { [.link] }
    package var ownDuration: Duration? { nil }

    package var capabilities: [Set<Capability>] {
        switch means {
        case .relay: [[]]
        case .auto where connections == .all: [[.packetRules], []]
        default: [[.packetRules]]
        }
    }

    package var detail: String {
        let ways = directions.count == 2 ? "both ways" : directions[0] == .toServer ? "to the server" : "to the pool"
        return (connections == .all ? "" : "\(connections.rawValue) connections, ") + ways
    }

    package func disturbances(seed: UInt64) -> [Disturbance] {
        guard connections == .all, means != .packets else { return [] }
        return directions.map { .toxic($0 == .toServer ? "blackhole@upstream" : "blackhole@downstream") }
    }

    package func makeInjection(seed: UInt64) -> any Injection {
        let relay = RelayInjection(disturbances(seed: seed), provenBy: .bytesSwallowed)
        return EitherWay(self, packets: packets, relay: connections == .all ? relay : nil)
    }

    private var packets: PacketInjection {
        let directions = directions
        func rules(_ which: PacketRule.Which) -> [PacketRule] {
            directions.map { PacketRule(direction: $0, which: which, action: .drop) }
        }
        switch connections {
        case .all: return PacketInjection(rules(.all))
        case .new: return PacketInjection(rules(.opening))
        case .established:
            return PacketInjection { stage in
                .connections(try await PacketFlow.all(on: stage), reason: "the pool has no open connection") { ports in
                    directions.map { PacketRule(direction: $0, which: .clientPorts(ports), action: .drop) }
                }
            }
        }
    }
}
