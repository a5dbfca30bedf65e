package import RigModel
import Threading

/// Every packet between pool and server takes longer. By `tc netem` on the server's port where the kernel has it and the
/// rig may (root), else by the rig's own relay between pool and server.
///
/// Landed: a round trip on the pool's way takes as much longer as it should, at least by half.
package struct Latency: Fault {
    package static let shape = Shape(
        name: "latency", summary: "everything between pool and server is delayed, in both directions",
        parameters: [
            Parameter("latency", .duration, isRequired: true, summary: "delay in each direction"),
            Parameter("jitter", .duration, default: .duration(.zero), summary: "each delay varies by up to ± this"),
            Parameter(
                "via", .choice(Mechanism.allCases.map(\.rawValue)), default: .choice("auto"),
                summary: "netem (tc, needs root and kernel support), relay, or auto: netem where it works"),
        ], isLasting: true)

    enum Mechanism: String, CaseIterable {
        case auto
        case netem
        case relay
    }

    private let latency: Duration
    private let jitter: Duration
    private let mechanism: Mechanism

    package init(_ parameters: Parameters) {
        latency = parameters.duration("latency") ?? .zero
        jitter = parameters.duration("jitter") ?? .zero
        mechanism = parameters.choice("via").flatMap(Mechanism.init) ?? .auto
    }

    package var needs: Set<StagePart> { [.link] }
    package var ownDuration: Duration? { nil }

    package var detail: String {
        "\(latency.words)" + (jitter > .zero ? " ± \(jitter.words)" : "") + " each way"
    }

    package func makeInjection(seed: UInt64) -> any Injection {
        Delay(latency: latency, jitter: jitter, mechanism: mechanism)
    }

    /// A round trip has to show half of what both directions add at least.
    static func leastAdded(latency: Duration, jitter: Duration) -> Duration {
        max(latency - jitter, latency / 4)
    }

    private actor Delay: Injection {
        private static let roundTripLimit = Duration.seconds(10)
        private static let proofTries = 5

        private let latency: Duration
        private let jitter: Duration
        private let mechanism: Mechanism
        private var netem: Netem?
        /// On the relay, one for each direction.
        private var delays: [Int] = []
        private var before: Duration?
        private var whyNoNetem: String?

        init(latency: Duration, jitter: Duration, mechanism: Mechanism) {
            self.latency = latency
            self.jitter = jitter
            self.mechanism = mechanism
        }

        func inject(on stage: FaultStage) async throws {
            let link = try stage.needed(stage.link, .link)
            before = try? await link.roundTrip(within: Self.roundTripLimit)
            // Nothing would be delayed; prove says so.
            guard latency > .zero else { return }
            if mechanism != .relay {
                do {
                    netem = try await Netem.install(latency: latency, jitter: jitter, on: stage)
                    // What the kernel accepted must also bite; else the relay takes over.
                    if mechanism == .netem { return }
                    if try await isFelt(link) { return }
                    try await netem?.remove(on: stage)
                    netem = nil
                    whyNoNetem = "netem was installed, but a round trip did not get slower"
                } catch {
                    whyNoNetem = "\(error)"
                    if mechanism == .netem { throw error }
                }
            }
            guard link.hasRelay else { throw InjectionError("no relay, and no netem: \(whyNoNetem ?? "")") }
            for stream in ["upstream", "downstream"] {
                let words = "latency@\(stream):latency=\(Self.text(latency)),jitter=\(Self.text(jitter))"
                delays.append(try await link.begin(.toxic(words)))
            }
        }

        /// Toxics count in milliseconds; a part of one is still some delay.
        private static func text(_ duration: Duration) -> String { "\(Int(duration.milliseconds.rounded(.up)))ms" }

        private func held(_ link: any LinkControl) async -> [JSONValue.Member] {
            var chunks = 0
            var medians: [Duration] = []
            for delay in delays {
                let effect = await link.effect(of: delay)
                chunks += effect.heldChunks
                if effect.heldChunks > 0 { medians.append(effect.medianHold) }
            }
            return [
                .init("delayed_chunks", JSONValue(chunks)),
                .init("median_hold_ms", .double((medians.min() ?? .zero).milliseconds)),
            ]
        }

        private func isFelt(_ link: any LinkControl) async throws -> Bool {
            guard let before else { return false }
            let wanted = before + Latency.leastAdded(latency: latency, jitter: jitter)
            for _ in 1...Self.proofTries {
                if try await link.roundTrip(within: Self.roundTripLimit) >= wanted { return true }
            }
            return false
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let link = stage.link else { return Landing(landed: false, evidence: ["reason": "no link"]) }
            guard latency > .zero else {
                return Landing(landed: false, evidence: ["reason": "a latency of 0 changes nothing"])
            }
            var evidence: [JSONValue.Member] = [
                .init("via", .string(netem != nil ? "netem" : "relay")),
                .init("round_trip_before_ms", JSONValue(before?.milliseconds)),
            ]
            if let whyNoNetem { evidence.append(.init("why_not_netem", .string(whyNoNetem))) }
            let wanted = (before ?? .zero) + Latency.leastAdded(latency: latency, jitter: jitter)
            var during: Duration?
            for _ in 1...Self.proofTries {
                guard let measured = try? await link.roundTrip(within: Self.roundTripLimit) else { continue }
                during = max(during ?? .zero, measured)
                if measured >= wanted { break }
            }
            evidence.append(.init("round_trip_during_ms", JSONValue(during?.milliseconds)))
            if !delays.isEmpty { evidence += await held(link) }
            let landed = (during ?? .zero) >= wanted
            if !landed { evidence.append(.init("reason", "the round trip did not get slower by what it should")) }
            return Landing(landed: landed, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            var facts: [JSONValue.Member] = []
            if let netem {
                try await netem.remove(on: stage)
                self.netem = nil
            }
            guard let link = stage.link else { return .object(facts) }
            if !delays.isEmpty { facts += await held(link) }
            for delay in delays { await link.end(delay) }
            delays = []
            // Also where nothing was delayed: prove has measured.
            await link.endRoundTrips()
            return .object(facts)
        }
    }
}
