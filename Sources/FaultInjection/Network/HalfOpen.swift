package import RigModel
import Threading

/// Connections that were idle are dead, and nobody was told, while new ones work: what load balancers and NAT do when they
/// forget a connection.
///
/// Landed: the pool has used one of them, and its bytes were swallowed or answered by a reset.
package struct HalfOpen: Fault {
    package static let shape = Shape(
        name: "half-open", summary: "connections that were idle are dead without a word, new ones work (relay)",
        parameters: [
            Parameter(
                "idle", .duration, default: .duration(.zero),
                summary: "connections on which nothing passed for so long, when the fault begins"),
            Parameter(
                "answer", .choice(["none", "reset"]), default: .choice("none"),
                summary: "to bytes of the pool on such a connection: none (silence), or reset"),
        ], isLasting: true)

    private let idle: Duration
    private let answer: String

    package init(_ parameters: Parameters) {
        idle = parameters.duration("idle") ?? .zero
        answer = parameters.choice("answer") ?? "none"
    }

    package var needs: Set<StagePart> { [.link] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "connections idle for \(idle.words), answer \(answer)" }

    package func disturbances(seed: UInt64) -> [Disturbance] {
        [.toxic("half_open:idle_ms=\(Int(idle.milliseconds)),answer=\(answer)")]
    }

    package func makeInjection(seed: UInt64) -> any Injection {
        RelayInjection(
            disturbances(seed: seed),
            provenBy: answer == "reset" ? .connectionsEnded : .bytesSwallowed)
    }
}
