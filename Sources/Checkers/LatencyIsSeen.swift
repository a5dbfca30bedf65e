package import RigModel

/// A frozen or delayed server shows in the rig's own latencies.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct LatencyIsSeen: Checker {
    package static let shape = Shape(
        name: "latency-is-seen", summary: "a frozen or delayed server shows in the rig's own latencies",
        parameters: [
            Parameter(
                "share", .share, default: .share(0.5), summary: "share of the delay that must show in the latencies")
        ])

    package static let explanation = Explanation(
        claims: """
            The rig's own latencies tell the truth: a server that was frozen or slowed down shows in them. If it did
            not, no figure of the rig could be trusted.

            - A delay whose proof says how long it was (`latency`, `slow-statements`): the 95th percentile of what was
              due meanwhile is above the median of the phase `steady` by at least `share` of it.
            - A standstill (`freeze`, `blackhole`, `container-pause`, `pgbouncer-pause`): the longest operation took
              at least `share` of it, or of the pool's shortest limit for a call, where that is shorter. It must,
              where nothing succeeded for half of the standstill; where the load went on (one backend of many),
              nothing is said.
            - In the open model, while nothing succeeds, at least half of the operations that were due are there: a
              rig that waits for answers before it asks again would leave them out, and with them the long ones.
            """,
        needs: """
            Such a fault that landed, and a steady phase.
            """,
        cannotSee: """
            Figures that are wrong by less than that.
            """)

    private static let delays: Set<String> = ["latency", "slow-statements"]
    private static let standstills: Set<String> = ["freeze", "blackhole", "container-pause", "pgbouncer-pause"]
    private static let fewest: UInt64 = 10

    private let share: Double
    private var surroundings = Surroundings()
    private var scheduled = ScheduledSlices()
    private var outcomes = OutcomeSlices()
    private var dropped: Int64 = 0

    package static let isMeasurement = true

    package init(_ parameters: Parameters) { share = parameters.share("share") ?? 0.5 }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        scheduled.observe(event)
        outcomes.observe(event)
        if event.process == .probe, event.function == "dropped" {
            dropped += max(0, min(event.value["operations"]?.intValue ?? 0, 1 << 40))
        }
    }

    package mutating func merge(_ other: LatencyIsSeen) {
        surroundings.merge(other.surroundings)
        scheduled.merge(other.scheduled)
        outcomes.merge(other.outcomes)
        dropped += other.dropped
    }

    private enum Answer {
        /// The latency that showed it.
        case seen(Int64)
        case notSeen(expected: String, seen: String)
        case open(String)
    }

    package func finish() -> InvariantResult {
        let faults = surroundings.landed.filter {
            Self.delays.contains($0.kind) || Self.standstills.contains($0.kind) && $0.detail != "postmaster"
        }
        guard let steady = surroundings.faults.timeline.span(ofPhase: "steady") else {
            return .judged(Self.shape, Findings(), unless: "there was no steady phase to compare with", summary: "")
        }
        let usual = scheduled.sketch(from: steady.lowerBound, to: steady.upperBound)
        guard let median = usual.nanoseconds(atQuantile: 0.5) else {
            return .judged(Self.shape, Findings(), unless: "no operation was due in the steady phase", summary: "")
        }
        let perSecond = Double(usual.count) / (Double(steady.upperBound - steady.lowerBound) / 1e9)
        let answers = faults.map { ($0, answer($0, median: median, perSecond: perSecond)) }
        var findings = Findings()
        findings.add(answers.compactMap { finding($0.0, $0.1) })
        let seen = answers.compactMap { fault, answer -> String? in
            if case .seen(let latency) = answer { "\(fault.shortName) in \(latency.words)" } else { nil }
        }
        let open = answers.compactMap { fault, answer -> String? in
            if case .open(let reason) = answer { "\(fault.shortName): \(reason)" } else { nil }
        }
        let reason: String? =
            faults.isEmpty
            ? "no fault that freezes or slows the server landed" : seen.isEmpty ? open.joined(separator: "; ") : nil
        return .judged(
            Self.shape, findings, unless: reason,
            summary: "latency showed \(seen.joined(separator: ", ")) (the steady median was \(median.words))"
                + (open.isEmpty ? "" : "; not judged: \(open.joined(separator: "; "))"),
            measured: [
                "steady_p50_ms": .milliseconds(median), "seen": JSONValue(seen.count), "open": JSONValue(open.count),
                "not_seen": JSONValue(findings.total),
            ])
    }

    // MARK: Judging

    private func answer(_ fault: FaultTimeline.Injection, median: Int64, perSecond: Double) -> Answer {
        let from = fault.inject?.time ?? 0
        let to = min(fault.heal?.time ?? .max, surroundings.loadEnd)
        guard to > from else { return .open("it lasted no time under load") }
        if Self.delays.contains(fault.kind) { return delayAnswer(fault, from, to, median) }
        return standstillAnswer(from, to, perSecond)
    }

    private func delayAnswer(_ fault: FaultTimeline.Injection, _ from: Int64, _ to: Int64, _ median: Int64) -> Answer {
        guard let delay = ProvenDelay.nanoseconds(fault.evidence) else { return .open("its proof tells no delay") }
        let sketch = scheduled.sketch(from: from, to: to)
        guard sketch.count >= Self.fewest, let p95 = sketch.nanoseconds(atQuantile: 0.95) else {
            return .open("only \(counted(sketch.count, "operation")) due meanwhile")
        }
        let least = median + Int64(Double(delay) * share)
        if p95 >= least { return .seen(p95) }
        return .notSeen(
            expected: "a 95th percentile of at least \(least.words): the usual median of \(median.words) and "
                + "\(percentWords(share)) of the proven delay of \(delay.words)",
            seen: "\(p95.words) over \(counted(sketch.count, "operation"))")
    }

    private func standstillAnswer(_ from: Int64, _ to: Int64, _ perSecond: Double) -> Answer {
        let limits = ["acquire_timeout_ns", "statement_timeout_ns"].compactMap(surroundings.setting)
        let expected = min(to - from, limits.min() ?? .max)
        let least = Int64(Double(expected) * share)
        // What was in flight when it began counts too; so does what came in the last slice.
        let sketch = scheduled.sketch(from: max(0, from - 500_000_000), to: to + ScheduledSlices.length)
        let longest = sketch.nanoseconds(atQuantile: 1) ?? 0
        let gap = outcomes.longestGap(from: from, to: to)
        let length = gap.upperBound - gap.lowerBound
        if let missing = missing(gap, perSecond) { return missing }
        if longest >= least { return .seen(longest) }
        if length * 2 < to - from { return .open("the load went on, and nothing took longer than \(longest.words)") }
        return .notSeen(
            expected: "an operation of at least \(least.words)",
            seen: "nothing succeeded for \(length.words), but the longest operation took \(longest.words)")
    }

    /// Operations that were due while nothing succeeded, and that the history does not have.
    private func missing(_ gap: Range<Int64>, _ perSecond: Double) -> Answer? {
        let half = (gap.upperBound - gap.lowerBound) / 2
        guard scheduled.hasSchedule, half >= 3 * ScheduledSlices.length else { return nil }
        // Whole slices only.
        let from = (gap.lowerBound + ScheduledSlices.length - 1) / ScheduledSlices.length * ScheduledSlices.length
        let to = (gap.lowerBound + half) / ScheduledSlices.length * ScheduledSlices.length
        let due = perSecond * Double(to - from) / 1e9
        let there = Double(scheduled.sketch(from: from, to: to).count) + Double(dropped)
        guard due >= Double(Self.fewest), there < due / 2 else { return nil }
        return .notSeen(
            expected: "about \(decimalWords(due)) operations that were due from \(from.words) to \(to.words), "
                + "while nothing succeeded",
            seen: "\(decimalWords(there)): the rig stopped counting while the server stood still")
    }

    private func finding(_ fault: FaultTimeline.Injection, _ answer: Answer) -> Finding? {
        guard case .notSeen(let expected, let seen) = answer else { return nil }
        let from = fault.inject?.time ?? 0
        return Finding(
            title: "\(fault.shortName) does not show in the rig's own latencies", expected: expected, seen: seen,
            events: [fault.inject?.index, fault.heal?.index].compactMap { $0 }, time: from,
            activeFault: surroundings.faults.words(at: from))
    }
}
