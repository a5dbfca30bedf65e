import RigModel
import Threading

/// Tries the means in their order until one is felt on the pool's way.
actor LatencyInjection: Injection {
    private static let roundTripLimit = Duration.seconds(10)
    private static let proofTries = 5

    private let fault: Latency
    private let seed: UInt64
    private var means: NetworkMeans?
    private var running: (any DelayMeans)?
    private var before: Duration?
    /// Means that were tried in vain, and why.
    private var passedOver: [JSONValue.Member] = []

    init(_ fault: Latency, seed: UInt64) {
        self.fault = fault
        self.seed = seed
    }

    func inject(on stage: FaultStage) async throws {
        let link = try stage.needed(stage.link, .link)
        before = await slowestRoundTrip(link, of: 3)
        // Nothing would be delayed; prove says so.
        guard fault.latency > .zero else { return }
        let candidates = fault.means(at: stage.network)
        for (index, candidate) in candidates.enumerated() {
            let isLast = index == candidates.count - 1
            let delay: any DelayMeans
            do { delay = try await candidate.delay(fault, seed: seed, on: stage) } catch {
                if isLast { throw error }
                passedOver.append(.init("why_not_\(candidate.rawValue)", .string("\(error)")))
                continue
            }
            (means, running) = (candidate, delay)
            // What the kernel accepted must also bite; else the next one takes over.
            if isLast { return }
            if await isFelt(link) { return }
            // Where this fails, heal tries again.
            try await delay.end(on: stage)
            (means, running) = (nil, nil)
            passedOver.append(.init("why_not_\(candidate.rawValue)", "a round trip did not get slower"))
        }
        throw InjectionError("nothing on this stage can delay")
    }

    func prove(on stage: FaultStage) async -> Landing {
        guard let link = stage.link else { return Landing(landed: false, evidence: ["reason": "no link"]) }
        guard fault.latency > .zero else {
            return Landing(landed: false, evidence: ["reason": "a latency of 0 changes nothing"])
        }
        var evidence: [JSONValue.Member] = [
            .init("via", .string(means?.rawValue ?? "")),
            .init("round_trip_before_ms", JSONValue(before?.milliseconds)),
        ]
        if means != .relay { evidence.append(.init("where", .string(stage.network?.words ?? ""))) }
        evidence += passedOver
        guard let wanted else {
            let reason = JSONValue.Member(
                "reason", "no round trip came back before the fault, so nothing can be compared")
            return Landing(landed: false, evidence: .object(evidence + [reason]))
        }
        let during = await slowestRoundTrip(link, of: Self.proofTries, until: wanted)
        evidence.append(.init("round_trip_during_ms", JSONValue(during?.milliseconds)))
        evidence += await running?.facts(on: stage) ?? []
        let landed = (during ?? .zero) >= wanted
        if !landed { evidence.append(.init("reason", "the round trip did not get slower by what it should")) }
        return Landing(landed: landed, evidence: .object(evidence))
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        let facts = await running?.facts(on: stage) ?? []
        try await running?.end(on: stage)
        running = nil
        // Also where nothing was delayed: prove has measured.
        await stage.link?.endRoundTrips()
        return .object(facts)
    }

    /// `nil`: it is not known how long one took before.
    private var wanted: Duration? {
        before.map { $0 + Latency.leastAdded(latency: fault.latency, jitter: fault.jitter) }
    }

    /// Of a few; ends with the first one that is slow enough. `nil` when none came back.
    private func slowestRoundTrip(
        _ link: any LinkControl, of tries: Int, until enough: Duration = .seconds(3600)
    ) async -> Duration? {
        var slowest: Duration?
        for _ in 1...tries {
            guard let measured = try? await link.roundTrip(within: Self.roundTripLimit) else { continue }
            slowest = max(slowest ?? .zero, measured)
            if measured >= enough { break }
        }
        return slowest
    }

    private func isFelt(_ link: any LinkControl) async -> Bool {
        guard let wanted else { return false }
        return await slowestRoundTrip(link, of: Self.proofTries, until: wanted) ?? .zero >= wanted
    }
}
