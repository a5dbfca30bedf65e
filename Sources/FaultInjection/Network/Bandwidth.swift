package import RigModel

/// Each connection between pool and server passes only so many bytes a second.
///
/// Landed: the relay has held bytes back.
package struct Bandwidth: Fault {
    package static let shape = Shape(
        name: "bandwidth", summary: "each connection passes only so many bytes a second (relay)",
        parameters: [
            Parameter(
                "rate", .dataRate, isRequired: true, summary: "of each connection in each direction; 1KB/s or more"),
            StreamChoice.parameter,
        ], isLasting: true)

    private let bytesPerSecond: Double
    private let stream: StreamChoice

    package init(_ parameters: Parameters) {
        bytesPerSecond = parameters.dataRate("rate") ?? 0
        stream = StreamChoice(parameters)
    }

    package var needs: Set<StagePart> { [.link] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "\(kilobytes) KB/s \(stream.words)" }

    private var kilobytes: Int { max(1, Int(bytesPerSecond / 1000)) }

    package func disturbances(seed: UInt64) -> [Disturbance] { stream.toxics("bandwidth", "rate=\(kilobytes)KB/s") }

    package func makeInjection(seed: UInt64) -> any Injection {
        RelayInjection(disturbances(seed: seed), provenBy: .bytesHeld)
    }
}
