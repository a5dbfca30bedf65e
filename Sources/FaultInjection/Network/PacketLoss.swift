package import RigModel

/// A share of the packets between pool and server is lost, in both directions, drawn from the seed: a bad cable, a queue that is
/// full. The kernels send them again, after 200 ms and more.
///
/// Landed: the rig's queue dropped packets.
package struct PacketLoss: Fault {
    package static let shape = Shape(
        name: "packet-loss", summary: "a share of the packets between pool and server is lost (packet queue)",
        parameters: [
            Parameter(
                "share", .share, isRequired: true, summary: "of the packets in each direction, drawn from the seed")
        ], isLasting: true)

    private let share: Double

    package init(_ parameters: Parameters) { share = parameters.share("share") ?? 0 }

    package var needs: Set<StagePart> { [.link] }
    package var capabilities: [Set<Capability>] { [[.packetQueue]] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "\(Int((share * 100).rounded())) % of the packets" }

    package func makeInjection(seed: UInt64) -> any Injection {
        var plan = PacketFate.Plan()
        plan.loss = share
        return QueueInjection(plan, seed: seed, proof: "packet was lost") { $0.lost > 0 }
    }
}
