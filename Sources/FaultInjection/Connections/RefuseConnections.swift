package import RigModel

/// The first connections that the pool tries to open are reset before they reach the server: a server or a load balancer that
/// is just coming up. Open ones are left alone; together with `reset` the pool has to open new ones.
///
/// Landed: the relay has refused connections.
package struct RefuseConnections: Fault {
    package static let shape = Shape(
        name: "refuse-connections", summary: "the first new connections are reset before they reach the server (relay)",
        parameters: [
            Parameter(
                "first", .count, default: .count(10), summary: "how many, counted from the beginning of the fault")
        ], isLasting: true)

    private let first: Int

    package init(_ parameters: Parameters) { first = parameters.count("first") ?? 10 }

    package var needs: Set<StagePart> { [.link] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "the first \(first)" }

    package func disturbances(seed: UInt64) -> [Disturbance] { [.toxic("refuse_first:connections=\(first)")] }

    package func makeInjection(seed: UInt64) -> any Injection {
        RelayInjection(disturbances(seed: seed), provenBy: .connectionsRefused)
    }
}
