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
            still, and those right after, are left out of durations and rates.
            """,
        needs: """
            For each bound something that ended in its time, else unknown; for `throughput` it is enough that
            something was in flight.
            """,
        cannotSee: """
            What differs by less than 6 % from a bound on a quantile; operations without an end (see timeouts).
            """)

    private let bounds: [Threshold]
    private var faults = FaultWindows()
    private var stalls = StallLog()
    private var slices: ThresholdSlices

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
    }

    package mutating func merge(_ other: Thresholds) {
        faults.merge(other.faults)
        stalls.merge(other.stalls)
        slices.merge(other.slices)
    }

    package func finish() -> InvariantResult {
        let stalled = stalls.numbers(ofSlices: ThresholdSlices.slice)
        let judged = bounds.map { bound in
            let numbers = numbers(of: bound, except: stalled)
            return Judged(bound: bound, numbers: numbers, value: slices.value(of: bound, in: numbers))
        }
        var findings = Findings()
        for item in judged { if let finding = finding(item) { findings.add([finding]) } }
        let open = judged.filter { $0.value == nil }.map { "\($0.bound.measure.name)\($0.bound.scope.words)" }
        let reason =
            bounds.isEmpty
            ? "the scenario names no threshold"
            : open.isEmpty ? nil : "nothing was measured for \(open.joined(separator: ", "))"
        return .judged(
            Self.shape.name, findings, unknown: reason,
            facts: judged.map { "\($0.bound.measure.name) \($0.words) (\($0.bound.words))" }.joined(separator: ", "),
            measured: .array(
                judged.map { item in
                    [
                        "measure": .string(item.bound.measure.name), "bound": .string(item.bound.words),
                        "value": item.value.map { .double(($0 * 1e6).rounded() / 1e6) } ?? .null,
                        "meets": item.value.map { .bool(item.bound.admits($0)) } ?? .null,
                    ]
                }))
    }

    private struct Judged {
        var bound: Threshold
        var numbers: [Int64]
        var value: Double?

        var words: String { value.map { bound.measure.words($0) } ?? "unknown" }
    }

    /// The slices in which a bound holds, in order.
    private func numbers(of bound: Threshold, except stalled: Set<Int64>) -> [Int64] {
        let timeline = faults.timeline
        let length = ThresholdSlices.slice
        var span = 0..<(timeline.begin(ofPhase: "drain") ?? timeline.begin(ofPhase: "end") ?? timeline.lastTime + 1)
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
        if case .errors = bound.measure { return all }
        all.removeAll { stalled.contains($0) || stalled.contains($0 - 1) }
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
        return Finding(
            title: "\(bound.measure.name) was \(bound.measure.words(value))\(bound.scope.words)", expected: bound.words,
            seen: seen, events: shown.prefix(5).map(\.index), time: shown.first?.time ?? from,
            activeFault: shown.first.map { faults.words(from: $0.since, to: $0.time) }
                ?? faults.words(from: from, to: to))
    }
}
