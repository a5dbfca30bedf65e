package import RigModel
import Threading

/// A share of the packets between pool and server is held back, so that later ones overtake them: several ways of unequal
/// length.
///
/// Landed: packets went on after others that had come later in the same direction.
package struct PacketReorder: Fault {
    package static let shape = Shape(
        name: "packet-reorder", summary: "a share of the packets is overtaken by later ones (packet queue)",
        parameters: [
            Parameter(
                "share", .share, isRequired: true, summary: "of the packets in each direction, drawn from the seed"),
            Parameter(
                "delay", .duration, default: .duration(.milliseconds(20)), summary: "for how long they are held back"),
        ], isLasting: true)

    private let share: Double
    private let delay: Duration

    package init(_ parameters: Parameters) {
        share = parameters.share("share") ?? 0
        delay = parameters.duration("delay") ?? .milliseconds(20)
    }

    package var needs: Set<StagePart> { [.link] }
    package var capabilities: [Set<Capability>] { [[.packetQueue]] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "\(Int((share * 100).rounded())) % of the packets by \(delay.words)" }

    package func makeInjection(seed: UInt64) -> any Injection {
        var plan = PacketFate.Plan()
        plan.reorder = share
        plan.reorderDelay = Int64(clamping: delay.nanoseconds)
        return QueueInjection(plan, seed: seed, proof: "packet was overtaken") { $0.overtaken > 0 }
    }
}
