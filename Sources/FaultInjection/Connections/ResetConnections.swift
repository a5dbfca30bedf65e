package import RigModel

/// A RST on live connections between pool and server, on both sides at the same moment.
///
/// Landed: the relay has reset connections.
package struct ResetConnections: Fault {
    package static let shape = Shape(
        name: "reset", summary: "live connections are reset on both sides (RST, relay)",
        parameters: [
            Parameter("share", .share, default: .share(1), summary: "of the connections, drawn from the seed")
        ])

    private let share: Double

    package init(_ parameters: Parameters) { share = parameters.share("share") ?? 1 }

    package var needs: Set<StagePart> { [.link] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "\(Int((share * 100).rounded())) % of the connections" }

    package func disturbances(seed: UInt64) -> [Disturbance] { [.toxic("reset~\(share)")] }

    package func makeInjection(seed: UInt64) -> any Injection {
        RelayInjection(disturbances(seed: seed), provenBy: .connectionsEnded, isMomentary: true)
    }
}
