package import RigModel

/// The network swallows everything between pool and server, and the sockets stay open: a firewall that drops, a cable that
/// was pulled. New connections open, and hear nothing.
///
/// Landed: the relay has swallowed bytes. Connections that lost some are reset at the end, since what followed could not be
/// understood.
package struct Blackhole: Fault {
    package static let shape = Shape(
        name: "blackhole", summary: "everything between pool and server is swallowed, sockets stay open (relay)",
        parameters: [StreamChoice.parameter], isLasting: true)

    private let stream: StreamChoice

    package init(_ parameters: Parameters) { stream = StreamChoice(parameters) }

    package var needs: Set<StagePart> { [.link] }
    package var ownDuration: Duration? { nil }
    package var detail: String { stream.words }

    package func disturbances(seed: UInt64) -> [Disturbance] { stream.toxics("blackhole") }

    package func makeInjection(seed: UInt64) -> any Injection {
        RelayInjection(disturbances(seed: seed), provenBy: .bytesSwallowed)
    }
}
