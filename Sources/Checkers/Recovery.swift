package import RigModel

/// After every fault the system comes back: a first success, a full pool and the usual throughput within `within` of the
/// heal.
///
/// Rules:
/// - Only faults that landed are judged. Time in which the machine itself stood still (`probe/stall`) is added to the
///   limit.
/// - When the next fault began before the recovery was complete and before `within` had passed, or when another fault
///   was still active at the heal, nothing can be said about this one: the last fault of the chain is judged.
/// - When the load ended before `within` had passed without recovery, the answer is unknown. A throughput window is a
///   second long, so one second more is needed to prove that throughput did not come back.
/// - A fault that was still active when the load ended, with no success in the last second of it, is a violation; not
///   where the run was interrupted before its phase `settle`.
/// - Time in which nobody asked for anything for a second or longer (behaviour `quiet`) is added to the limit, too.
/// - A pool is full with as many open connections as in the steady phase, or when its demand is met (``GaugeRuns``).
/// - The 95th percentile of latency is back with twice that of the steady phase, or 20 ms more; it is judged only where the
///   scenario gives a limit for it, since a busy machine moves it.
package struct Recovery: Checker {
    package static let shape = Shape(
        name: "recovery",
        summary: "after each fault: a first success, a full pool and baseline throughput within a limit",
        parameters: [
            Parameter(
                "within", .duration, default: .duration(.seconds(5)),
                summary: "from the heal to the first success, the full pool and the throughput"),
            Parameter(
                "throughput", .share, default: .share(0.9), summary: "share of the steady phase's rate that is enough"),
            Parameter(
                "p95", .duration,
                summary:
                    "from the heal until the 95th percentile of latency is at most twice the steady one, or 20 ms more; "
                    + "left out: it is reported, not judged"),
        ])

    package static let explanation = Explanation(
        claims: """
            After every fault a first operation succeeds, the pool is full (as many connections as in the phase
            `steady`, or its demand is met) and the throughput is `throughput` of the steady one, all within `within`
            of the heal; time in which the machine stood still, or nobody asked for anything for a second, is added. When the next fault began before that, the
            last one of the chain is judged. A fault that was still active when the load ended, with no success in its
            last second, is a violation.
            """,
        needs: """
            A fault that landed, a steady phase with successes, and load for `within` after the heal (a second longer
            for the throughput). Of our own pool also its gauges.
            """,
        cannotSee: """
            The 95th percentile of latency where `p95` is not given: then it is reported and not judged.
            """)

    private let within: Int64
    private let p95Within: Int64?
    private var meter: RecoveryMeter
    private var stalls = StallLog()
    private var sight = OwnPoolSight()

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        within = (parameters.duration("within") ?? .seconds(5)).wholeNanoseconds
        p95Within = parameters.duration("p95")?.wholeNanoseconds
        meter = RecoveryMeter(throughputShare: parameters.share("throughput") ?? 0.9)
    }

    package mutating func observe(_ event: Event) {
        meter.observe(event)
        stalls.observe(event)
        sight.observe(event)
    }

    package mutating func merge(_ other: Recovery) {
        meter.merge(other.meter)
        stalls.merge(other.stalls)
        sight.merge(other.sight)
    }

    package func finish() -> InvariantResult {
        let landed = meter.faults.timeline.injections.filter { $0.landed == true && $0.inject != nil }
        if landed.isEmpty { return unknown("no fault landed") }
        guard let baseline = meter.baseline else {
            return unknown("nothing succeeded in the steady phase, so there is no baseline to come back to")
        }
        let judged = landed.map { judge($0, baseline) }
        let findings = judged.compactMap(\.finding)
        var all = Findings()
        all.add(findings)
        let isOpen = judged.contains { $0.answer == .unknown }
        // Whether the pool was full again.
        let missing = sight.withoutGauges
        let verdict: Verdict = !findings.isEmpty ? .invalid : isOpen || missing != nil ? .unknown : .valid
        let remark = missing.map { "; whether the pool was full is unknown: \($0)" } ?? ""
        return InvariantResult(
            name: Self.shape.name, verdict: verdict, summary: summary(judged, baseline) + remark + all.remark,
            findings: all.selection, measured: measured(judged, baseline))
    }

    // MARK: Judging

    private enum Answer: String { case recovered, tooLate = "too-late", unknown, deferred }

    private struct Judgement {
        var injection: FaultTimeline.Injection
        var measurement: RecoveryMeter.Measurement?
        var answer: Answer
        /// By how much the limit was extended, because the machine stood still.
        var forgiven: Int64 = 0
        /// And because nobody asked for anything.
        var unasked: Int64 = 0
        var finding: Finding?
    }

    private func judge(_ injection: FaultTimeline.Injection, _ baseline: RecoveryMeter.Baseline) -> Judgement {
        if let finding = findingIfActiveAtEnd(injection) {
            return Judgement(injection: injection, answer: .tooLate, finding: finding)
        }
        guard let measurement = meter.measure(injection, baseline) else {
            return Judgement(injection: injection, answer: .unknown)
        }
        let healed = measurement.healedAt
        let unasked = meter.slices.unasked(from: healed, to: healed + measurement.observed)
        let forgiven = stalls.stalled(from: healed, to: healed + within + unasked)
        let limit = within + forgiven
        var answers = [
            answer(measurement.firstOk, limit, proofNeeds: limit, measurement),
            answer(measurement.throughput, limit, proofNeeds: limit + RecoveryMeter.window, measurement),
        ]
        if let p95Within {
            let limit = p95Within + stalls.stalled(from: healed, to: healed + p95Within + unasked)
            answers.append(answer(measurement.p95, limit, proofNeeds: limit + RecoveryMeter.window, measurement))
        }
        if baseline.open != nil { answers.append(answer(measurement.fullPool, limit, proofNeeds: limit, measurement)) }

        var judgement = Judgement(
            injection: injection, measurement: measurement, answer: .recovered, forgiven: forgiven, unasked: unasked)
        if answers.allSatisfy({ $0 == .recovered }) { return judgement }
        if answers.contains(.tooLate) {
            judgement.answer = .tooLate
            judgement.finding = finding(
                measurement, baseline, limit: limit + unasked, forgiven: forgiven, unasked: unasked)
        } else {
            judgement.answer = answers.contains(.deferred) ? .deferred : .unknown
        }
        return judgement
    }

    /// One of the criteria.
    ///
    /// - Parameter proofNeeds: how long must have been observed to know that it was not met within the limit.
    private func answer(
        _ seen: Int64?, _ limit: Int64, proofNeeds: Int64, _ measurement: RecoveryMeter.Measurement
    ) -> Answer {
        func asked(_ time: Int64) -> Int64 {
            time - meter.slices.unasked(from: measurement.healedAt, to: measurement.healedAt + time)
        }
        if let seen, seen <= limit || asked(seen) <= limit { return .recovered }
        if case .fault(let other) = measurement.end, isActive(other, at: measurement.healedAt) { return .deferred }
        if seen != nil || asked(measurement.observed) >= proofNeeds { return .tooLate }
        return measurement.end == .drain ? .unknown : .deferred
    }

    private func isActive(_ number: Int, at time: Int64) -> Bool {
        meter.faults.timeline[number].map { FaultWindows.isActive($0, from: time, to: time) } ?? false
    }

    /// For a fault that was never healed, or healed by force because the run ended: a finding when nothing succeeded in
    /// the last second of the load.
    private func findingIfActiveAtEnd(_ injection: FaultTimeline.Injection) -> Finding? {
        let wasInterrupted = meter.faults.timeline.begin(ofPhase: "settle") == nil
        guard injection.forced || injection.heal == nil, let inject = injection.inject, !wasInterrupted else {
            return nil
        }
        let lastSecond = max(inject.time, meter.loadEnd - RecoveryMeter.window)
        let since = min(lastSecond, injection.heal?.time ?? lastSecond)
        guard meter.slices.unasked(from: since, to: meter.loadEnd) == 0,
            meter.slices.firstOk(from: since, before: meter.loadEnd) == nil
        else { return nil }
        return Finding(
            title: "\(injection.shortName) was still active when the run ended, and nothing succeeded any more",
            expected: "a first success within \(TimeText.words(nanoseconds: within)) of the heal",
            seen: "no operation succeeded after \(TimeText.words(nanoseconds: since))",
            events: [inject.index, injection.heal?.index].compactMap { $0 }, time: since,
            activeFault: meter.faults.words(at: since))
    }

    private func finding(
        _ measurement: RecoveryMeter.Measurement, _ baseline: RecoveryMeter.Baseline, limit: Int64, forgiven: Int64,
        unasked: Int64
    ) -> Finding {
        func words(_ time: Int64?) -> String {
            time.map { "after \(TimeText.words(nanoseconds: $0))" }
                ?? "not within the \(TimeText.words(nanoseconds: measurement.observed)) observed"
        }
        var seen = ["first success \(words(measurement.firstOk))", "throughput \(words(measurement.throughput))"]
        if let open = baseline.open { seen.append("full pool of \(open) \(words(measurement.fullPool))") }
        if p95Within != nil { seen.append("95th percentile \(words(measurement.p95))") }
        seen.append("\(counted(measurement.lost, "operation")) lost")
        var allowed: [String] = []
        if forgiven > 0 { allowed.append("\(forgiven.words) while the machine stood still") }
        if unasked > 0 { allowed.append("\(unasked.words) in which nobody asked for anything") }
        let stalled = allowed.isEmpty ? "" : " (+ \(allowed.joined(separator: " + ")))"
        let pool = baseline.open.map { ", \($0) open connections" } ?? ""
        return Finding(
            title: "\(measurement.injection.shortName) was not recovered from within "
                + TimeText.words(nanoseconds: within),
            expected: "a success\(pool) and \(Self.percent(meter.throughputShare)) of "
                + "\(Self.rate(baseline.okPerSecond)) within \(TimeText.words(nanoseconds: within))\(stalled) of the heal"
                + (p95Within.map { ", a 95th percentile of at most \(baseline.p95Limit.words) within \($0.words)" }
                    ?? ""),
            seen: seen.joined(separator: ", "),
            events: [measurement.injection.inject?.index, measurement.injection.heal?.index].compactMap { $0 },
            time: measurement.healedAt, activeFault: meter.faults.words(at: measurement.healedAt + limit))
    }

    // MARK: Words

    private func unknown(_ reason: String) -> InvariantResult {
        InvariantResult(name: Self.shape.name, verdict: .unknown, summary: "not judged: \(reason)")
    }

    private func summary(_ judged: [Judgement], _ baseline: RecoveryMeter.Baseline) -> String {
        var parts: [String] = []
        let late = judged.count { $0.answer == .tooLate }
        let recovered = judged.filter { $0.answer == .recovered }
        if late > 0 { parts.append("\(late) of \(counted(judged.count, "fault")) not recovered from in time") }
        if !recovered.isEmpty {
            func worst(_ value: (RecoveryMeter.Measurement) -> Int64?) -> String? {
                recovered.compactMap { $0.measurement.flatMap(value) }.max().map { TimeText.words(nanoseconds: $0) }
            }
            var words = ["first success \(worst(\.firstOk) ?? "unknown")"]
            if let pool = worst(\.fullPool) { words.append("full pool \(pool)") }
            words.append(
                "\(Self.percent(meter.throughputShare)) of \(Self.rate(baseline.okPerSecond)) "
                    + (worst(\.throughput) ?? "unknown"))
            parts.append(
                "back after \(counted(recovered.count, "fault")), at worst: \(words.joined(separator: ", ")) "
                    + "(limit \(TimeText.words(nanoseconds: within)))")
        }
        let deferred = judged.count { $0.answer == .deferred }
        if deferred > 0 {
            parts.append(
                "\(counted(deferred, "fault")) followed or covered by another before recovery, and judged with the "
                    + "last of the chain")
        }
        let open = judged.filter { $0.answer == .unknown }
        if !open.isEmpty {
            parts.append(
                "not judged: \(open.map(\.injection.shortName).prefix(5).joined(separator: ", ")), because the load "
                    + "ended before \(TimeText.words(nanoseconds: within)) had passed")
        }
        let forgiven = judged.reduce(0) { $0 + $1.forgiven }
        if forgiven > 0 {
            parts.append("\(TimeText.words(nanoseconds: forgiven)) forgiven while the machine stood still")
        }
        let unasked = judged.reduce(0) { $0 + $1.unasked }
        if unasked > 0 { parts.append("\(unasked.words) in which nobody asked for anything do not count") }
        return parts.joined(separator: "; ")
    }

    private func measured(_ judged: [Judgement], _ baseline: RecoveryMeter.Baseline) -> JSONValue {
        [
            "within_s": .seconds(within), "throughput_share": .double(meter.throughputShare),
            "baseline_ok_per_s": .double((baseline.okPerSecond * 1e3).rounded() / 1e3),
            "baseline_p95_ms": .milliseconds(baseline.p95Nanoseconds),
            "baseline_open": baseline.open.map { .int($0) } ?? .null,
            "faults": .array(
                judged.map { judgement in
                    let measurement = judgement.measurement
                    return [
                        "fault": .string(judgement.injection.shortName), "answer": .string(judgement.answer.rawValue),
                        "first_ok_s": .seconds(measurement?.firstOk), "full_pool_s": .seconds(measurement?.fullPool),
                        "baseline_throughput_s": .seconds(measurement?.throughput),
                        "baseline_p95_s": .seconds(measurement?.p95),
                        "lost_ops": measurement.map { JSONValue($0.lost) } ?? .null,
                        "peak_latency_ms": .milliseconds(measurement?.longestNanoseconds),
                        "forgiven_s": .seconds(judgement.forgiven),
                    ]
                }),
        ]
    }

    private static func percent(_ share: Double) -> String { "\(number(share * 100)) %" }
    private static func rate(_ perSecond: Double) -> String { "\(number(perSecond))/s" }

    /// One decimal where there is one.
    private static func number(_ value: Double) -> String {
        let rounded = (value * 10).rounded() / 10
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int64(rounded)) : String(rounded)
    }
}
