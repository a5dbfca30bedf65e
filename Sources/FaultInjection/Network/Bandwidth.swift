package import RigModel
import Threading

/// Only so many bytes a second pass between pool and server: of each connection by the relay, or of all together by the kernel
/// (`tc tbf` on a private stage).
///
/// Landed: bytes or packets were held back.
package struct Bandwidth: Fault {
    package static let shape = Shape(
        name: "bandwidth", summary: "only so many bytes a second pass between pool and server (relay or tc tbf)",
        parameters: [
            Parameter(
                "rate", .dataRate, isRequired: true,
                summary: "in each direction, of each connection (relay) or of all together (packets); 1KB/s or more"),
            StreamChoice.parameter,
            NetworkMeans.parameter(
                [.auto, .packets, .relay],
                summary: "relay, packets (tc tbf, both ways), or auto: relay, which limits each connection"),
        ], isLasting: true)

    private let bytesPerSecond: Double
    private let stream: StreamChoice
    private let means: NetworkMeans

    package init(_ parameters: Parameters) {
        bytesPerSecond = parameters.dataRate("rate") ?? 0
        stream = StreamChoice(parameters)
        means = NetworkMeans(parameters)
    }

    package var needs: Set<StagePart> { [.link] }
    package var ownDuration: Duration? { nil }
    package var capabilities: [Set<Capability>] { means == .packets ? [[.rateLimit, .privateStage]] : [[]] }
    package var claims: Set<Claim> { means == .packets ? [.trafficControl] : [] }
    package var detail: String { "\(kilobytes) KB/s " + (means == .packets ? "both ways, together" : stream.words) }

    private var kilobytes: Int { max(1, Int(bytesPerSecond / 1000)) }

    package func disturbances(seed: UInt64) -> [Disturbance] { stream.toxics("bandwidth", "rate=\(kilobytes)KB/s") }

    package func makeInjection(seed: UInt64) -> any Injection {
        means == .packets
            ? RateLimit(kilobytes: kilobytes)
            : RelayInjection(disturbances(seed: seed), provenBy: .bytesHeld)
    }

    private actor RateLimit: Injection {
        private static let proofLimit = Duration.seconds(10)

        private let kilobytes: Int
        private var queues: LinkQueues?
        private var final: Int?

        init(kilobytes: Int) { self.kilobytes = kilobytes }

        func inject(on stage: FaultStage) async throws {
            // The burst must hold a packet with its headers; what waits longer than the latency is dropped, and sent again.
            queues = try await LinkQueues.install(
                ["tbf", "rate", "\(kilobytes * 8)kbit", "burst", "\(max(2_000, kilobytes))b", "latency", "500ms"],
                on: stage)
        }

        func prove(on stage: FaultStage) async -> Landing {
            let startedAt = MonotonicInstant.now
            while true {
                let late = await held(on: stage)
                let evidence: [JSONValue.Member] = [
                    .init("via", "packets"), .init("where", .string(stage.network?.words ?? "")),
                    .init("packets_over_the_limit", JSONValue(late)),
                ]
                if late > 0 { return Landing(landed: true, evidence: .object(evidence)) }
                let waited = startedAt.duration(to: .now)
                if final != nil || Task.isCancelled || waited >= Self.proofLimit {
                    let reason = JSONValue.Member("reason", .string("no packet was held back within \(waited.words)"))
                    return Landing(landed: false, evidence: .object(evidence + [reason]))
                }
                try? await Task.sleep(for: .milliseconds(100))
            }
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            guard let queues else { return [:] }
            let late = await held(on: stage)
            if final == nil { final = late }
            try await queues.remove(on: stage)
            return ["packets_over_the_limit": JSONValue(late)]
        }

        private func held(on stage: FaultStage) async -> Int {
            if let final { return final }
            return (try? await queues?.count("overlimits", on: stage)) ?? 0
        }
    }
}
