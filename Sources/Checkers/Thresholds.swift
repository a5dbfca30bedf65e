package import RigModel

/// The scenario's own bounds: `acquire.p99: < 50ms`, `errors: < 1% in phase steady`, `throughput: above 200/s in fault none`.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct Thresholds: Checker {
    package static let shape = Shape(
        name: "thresholds",
        summary: "bounds of the scenario: acquire.p99: < 50ms, append.p95: < 80ms in phase steady, errors: < 1%, "
            + "throughput: above 200/s in fault none",
        takesThresholds: true)

    package static let explanation = Explanation(
        claims: """
            Each measure meets its bounds: quantiles of `acquire`, `query`, `release` (the longest call of each
            operation), of whole operations that succeeded (`operation`, or a kind); the share of `errors`; the
            `throughput` of what succeeded. Over the run until its drain, a phase, while a fault is active, or while
            none is. An operation counts where it ended, to a fifth of a second; fifths in which the machine stood
            still, and those right after, are left out of durations and rates. What the client ended itself (it was
            cancelled, threw, or left its transaction open) is no error. Scheduled operations that were never started
            (open model) are errors.
            """,
        needs: """
            For each bound something that ended in its time, else unknown; for `throughput` it is enough that
            something was in flight. A bound on a duration, or on the errors of a kind, is unknown too where
            operations that were never started could have broken it.
            """,
        cannotSee: """
            What differs by less than 6 % from a bound on a quantile; operations without an end (see timeouts).
            """)

    private let bounds: [Threshold]
    private var faults = FaultWindows()
    private var stalls = StallLog()
    private var slices: ThresholdSlices
    private var started = StartedSlices()

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        bounds = parameters.values.sorted { $0.key < $1.key }.flatMap { $0.value.thresholdsValue ?? [] }
        var measures: [Threshold.Measure] = []
        for bound in bounds where !measures.contains(bound.measure) { measures.append(bound.measure) }
        slices = ThresholdSlices(measures)
    }

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        stalls.observe(event)
        slices.observe(event)
        started.observe(event)
    }

    package mutating func merge(_ other: Thresholds) {
        faults.merge(other.faults)
        stalls.merge(other.stalls)
        slices.merge(other.slices)
        started.merge(other.started)
    }

    package func finish() -> InvariantResult {
        let stalled = stalls.numbers(ofSlices: ThresholdSlices.slice)
        let judged = bounds.map { judge($0, stalled) }
        var findings = Findings()
        for item in judged { if let finding = finding(item) { findings.add([finding]) } }
        let open = judged.filter { $0.value == nil }.map(\.name)
        var reasons = bounds.isEmpty ? ["the scenario names no threshold"] : []
        if !open.isEmpty { reasons.append("nothing was measured for \(open.joined(separator: ", "))") }
        reasons += judged.filter(\.isOpen).map {
            "\($0.count.words), which could have broken \($0.name) (\($0.words) of those that ran)"
        }
        let reason = reasons.isEmpty ? nil : reasons.joined(separator: "; ")
        return .judged(
            Self.shape.name, findings, unknown: reason,
            facts: judged.map(\.fact).joined(separator: ", "),
            measured: .array(
                judged.map { item in
                    [
                        "measure": .string(item.bound.measure.name), "bound": .string(item.bound.words),
                        "value": item.value.map { .double(($0 * 1e6).rounded() / 1e6) } ?? .null,
                        "meets": item.meets.map { .bool($0) } ?? .null,
                    ]
                }))
    }

    private struct Judged {
        var bound: Threshold
        var numbers: [Int64]
        var count: StartedSlices.Count
        var value: Double?
        /// The bound is met, but what was never started could have broken it.
        var isOpen: Bool

        var name: String { "\(bound.measure.name)\(bound.scope.words)" }
        var words: String { value.map { bound.measure.words($0) } ?? "unknown" }
        var fact: String {
            "\(bound.measure.name) \(words) (\(bound.words)\(isOpen ? "; \(count.dropped) never started" : ""))"
        }
        var meets: Bool? { isOpen ? nil : value.map { bound.admits($0) } }
    }

    private func judge(_ bound: Threshold, _ stalled: Set<Int64>) -> Judged {
        let all = numbers(of: bound)
        var numbers = all
        if case .errors = bound.measure {
        } else {
            numbers.removeAll { stalled.contains($0) || stalled.contains($0 - 1) }
        }
        // What was dropped at the end is told when the load has ended, and belongs to the last slice of it.
        let last = loadEnd / ThresholdSlices.slice
        let rest = all.last.flatMap { $0 >= last - 1 ? $0 + 1 : nil }
        let count = started.count(in: numbers, andFrom: rest)
        let value = slices.value(of: bound, in: numbers, dropped: count.dropped)
        let worst = slices.worstValue(of: bound, in: numbers, dropped: count.dropped)
        let isOpen = value.map(bound.admits) == true && worst.map(bound.admits) == false
        return Judged(bound: bound, numbers: numbers, count: count, value: value, isOpen: isOpen)
    }

    private var loadEnd: Int64 {
        faults.timeline.begin(ofPhase: "drain") ?? faults.timeline.begin(ofPhase: "end") ?? faults.timeline.lastTime + 1
    }

    /// The slices in which a bound holds, in order.
    private func numbers(of bound: Threshold) -> [Int64] {
        let timeline = faults.timeline
        let length = ThresholdSlices.slice
        var span = 0..<loadEnd
        if case .phase(let name) = bound.scope {
            guard let phase = timeline.span(ofPhase: name) else { return [] }
            span = (phase.lowerBound + length - 1) / length * length..<phase.upperBound / length * length
            if span.isEmpty { return [] }
        }
        let windows = timeline.unordered.compactMap { injection -> ClosedRange<Int64>? in
            guard let inject = injection.inject?.time else { return nil }
            if case .fault(let kind?) = bound.scope, kind != injection.kind { return nil }
            return inject / length...max(inject, injection.heal?.time ?? timeline.lastTime) / length
        }
        var all = Array(span.lowerBound / length...(max(span.upperBound, span.lowerBound + 1) - 1) / length)
        switch bound.scope {
        case .wholeRun, .phase: break
        case .fault: all.removeAll { number in !windows.contains { $0.contains(number) } }
        case .outsideFaults: all.removeAll { number in windows.contains { $0.contains(number) } }
        }
        return all
    }

    private func finding(_ judged: Judged) -> Finding? {
        let bound = judged.bound
        guard let value = judged.value, !bound.admits(value) else { return nil }
        let shown = slices.worst(of: bound.measure, in: judged.numbers)
        let from = (judged.numbers.first ?? 0) * ThresholdSlices.slice
        let to = ((judged.numbers.last ?? 0) + 1) * ThresholdSlices.slice
        var seen = bound.measure.words(value)
        if let first = shown.first {
            let took = first.weight > 0 ? " of \(TimeText.words(nanoseconds: first.weight))" : ""
            seen += ", for example \(first.subject)\(took)"
        }
        var events = shown.prefix(5).map(\.index)
        if bound.measure == .errors(kind: nil), let drop = judged.count.firstDrop {
            seen += "; \(judged.count.words)"
            events.append(drop)
        }
        return Finding(
            title: "\(bound.measure.name) was \(bound.measure.words(value))\(bound.scope.words)", expected: bound.words,
            seen: seen, events: events, time: shown.first?.time ?? from,
            activeFault: shown.first.map { faults.words(from: $0.since, to: $0.time) }
                ?? faults.words(from: from, to: to))
    }
}
