package import RigModel

/// Measures how the system came back after each fault. No judgement: the `recovery` invariant adds that, and the report
/// shows these numbers whether or not the scenario asks for the invariant. A mergeable fold.
///
/// The baseline is taken from the phase `steady`: the median over one-second windows in steps of 100 ms, so that one bad
/// second of a noisy machine does not move it; at most what the schedule asked for, since what was late from before is done
/// in a hurry, and no pool owes that later. After a fault was healed, a rate or a quantile is back from the beginning
/// of the first such window that is good enough.
package struct RecoveryMeter: Sendable {
    /// What the system did in the phase `steady`.
    struct Baseline: Sendable, Equatable {
        var okPerSecond: Double
        var p95Nanoseconds: Int64
        /// The median of the pool's open connections; `nil` where the pool tells no gauges.
        var open: Int64?

        /// The 95th percentile up to which latency counts as back to normal.
        var p95Limit: Int64 { max(2 * p95Nanoseconds, p95Nanoseconds + 20_000_000) }
    }

    /// What ended the observation of one fault.
    enum ObservationEnd: Sendable, Equatable {
        /// The load ended.
        case drain
        /// Another fault began, or was active already: its number.
        case fault(Int)
    }

    /// One injection that landed and was healed. All but the moments in nanoseconds since the heal; `nil`: not seen.
    struct Measurement: Sendable {
        var injection: FaultTimeline.Injection
        var healedAt: Int64
        var observed: Int64
        var end: ObservationEnd
        var firstOk: Int64?
        var fullPool: Int64?
        var throughput: Int64?
        var p95: Int64?
        /// Operations that ended in `fail` or `info` from the injection to the end of the window that proved the
        /// throughput, in whole slices of 100 ms.
        var lost: Int
        /// The longest operation that ended in the same time.
        var longestNanoseconds: Int64
    }

    /// The length of the sliding window.
    static let window = ThroughputSlices.sliceNanoseconds * Int64(ThroughputSlices.slicesPerWindow)

    let throughputShare: Double
    private(set) var faults = FaultWindows()
    private(set) var slices = ThroughputSlices()
    private var gauges = GaugeRuns()

    /// - Parameter throughputShare: the share of the baseline rate from which throughput counts as back.
    package init(throughputShare: Double = 0.9) { self.throughputShare = throughputShare }

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        slices.observe(event)
        gauges.observe(event)
    }

    package mutating func merge(_ other: RecoveryMeter) {
        faults.merge(other.faults)
        slices.merge(other.slices)
        gauges.merge(other.gauges)
    }

    /// One record for each injection that landed, in order. One that was never healed has nothing but its losses.
    package func records() -> [RecoveryRecord] {
        let baseline = baseline
        return faults.timeline.injections.filter { $0.landed == true && $0.inject != nil }.map { injection in
            let measured = measure(injection, baseline)
            func seconds(_ time: Int64?) -> Double? { time.map { Double($0) / 1e9 } }
            return RecoveryRecord(
                fault: injection.shortName, firstOkSeconds: seconds(measured?.firstOk),
                fullPoolSeconds: seconds(measured?.fullPool),
                baselineThroughputSeconds: seconds(measured?.throughput),
                baselineP95Seconds: seconds(measured?.p95),
                lostOperations: measured?.lost ?? lost(since: injection.inject?.time ?? 0, until: loadEnd))
        }
    }

    /// Successful operations a second in the phase `steady`; `nil` when there was no such phase, or nothing succeeded in it.
    package var steadyOkPerSecond: Double? { baseline?.okPerSecond }

    /// When the load ended: the begin of `drain`, else of `end`, else the last event.
    var loadEnd: Int64 {
        faults.timeline.begin(ofPhase: "drain") ?? faults.timeline.begin(ofPhase: "end") ?? faults.timeline.lastTime
    }

    /// `nil` when there was no steady phase, or nothing succeeded in it.
    var baseline: Baseline? {
        guard let span = faults.timeline.span(ofPhase: "steady") else { return nil }
        let slice = ThroughputSlices.sliceNanoseconds
        let numbers = (span.lowerBound + slice - 1) / slice..<max(span.upperBound, span.lowerBound + slice - 1) / slice
        guard let p95 = slices.p95(numbers) else { return nil }
        let length = min(Int64(ThroughputSlices.slicesPerWindow), Int64(numbers.count))
        let perSecond = 1e9 / Double(length * slice)
        let rates = (numbers.lowerBound...numbers.upperBound - length).map {
            Double(slices.okCount($0..<$0 + length)) * perSecond
        }.sorted()
        let median = rates[(rates.count - 1) / 2]
        // So little load that most windows are empty: the mean still says something.
        let mean = Double(slices.okCount(numbers)) * 1e9 / Double(Int64(numbers.count) * slice)
        let due = Double(slices.dueCount(numbers)) * 1e9 / Double(Int64(numbers.count) * slice)
        let reached = median > 0 ? median : mean
        return Baseline(
            okPerSecond: due > 0 ? min(reached, due) : reached, p95Nanoseconds: p95, open: gauges.medianOpen(in: span))
    }

    /// `nil` for an injection that was never healed.
    func measure(_ injection: FaultTimeline.Injection, _ baseline: Baseline?) -> Measurement? {
        guard let inject = injection.inject?.time, let healed = injection.heal?.time else { return nil }
        let (until, end) = observation(of: injection, healedAt: healed)
        let throughput = baseline.flatMap { baseline in
            firstWindow(from: healed, before: until) { numbers in
                Double(slices.okCount(numbers)) * 1e9 >= throughputShare * baseline.okPerSecond * Double(Self.window)
            }
        }
        let p95 = baseline.flatMap { baseline in
            firstWindow(from: healed, before: until) { numbers in
                slices.p95(numbers).map { $0 <= baseline.p95Limit } ?? false
            }
        }
        let provenBy = throughput.map { min(until, healed + $0 + Self.window) } ?? until
        return Measurement(
            injection: injection, healedAt: healed, observed: max(0, until - healed), end: end,
            firstOk: slices.firstOk(from: healed, before: until).map { $0 - healed },
            fullPool: baseline?.open.flatMap { fullPool($0, inject: inject, healed: healed, until: until) },
            throughput: throughput, p95: p95, lost: lost(since: inject, until: provenBy),
            longestNanoseconds: slices.longest(Self.numbers(from: inject, to: provenBy)))
    }

    /// The observation ends when the next fault that lands begins, or when the load ends.
    private func observation(of injection: FaultTimeline.Injection, healedAt: Int64) -> (Int64, ObservationEnd) {
        let others = faults.timeline.unordered.filter { $0.number != injection.number && $0.landed == true }
        let next = others.compactMap { other in other.inject.map { (number: other.number, time: $0.time) } }
            .filter { $0.time > healedAt && $0.time < loadEnd }.min { ($0.time, $0.number) < ($1.time, $1.number) }
        // A fault that is still active when this one is healed hides its recovery.
        let active = others.filter { other in
            FaultWindows.isActive(other, from: healedAt, to: healedAt)
                && (other.heal ?? .max, other.number) > (injection.heal ?? .max, injection.number)
        }.max { ($0.heal ?? .max, $0.number) < ($1.heal ?? .max, $1.number) }
        let until = next?.time ?? loadEnd
        if let active { return (until, .fault(active.number)) }
        return (until, next.map { .fault($0.number) } ?? .drain)
    }

    /// Nanoseconds from `healed` to the begin of the first whole window that passes; a window that begins in the slice
    /// of the heal counts as 0.
    private func firstWindow(from healed: Int64, before until: Int64, _ passes: (Range<Int64>) -> Bool) -> Int64? {
        let length = Int64(ThroughputSlices.slicesPerWindow)
        var number = ThroughputSlices.number(at: healed)
        let last = min(slices.lastNumber ?? -1, until / ThroughputSlices.sliceNanoseconds - length)
        while number <= last {
            if passes(number..<number + length) {
                return max(0, number * ThroughputSlices.sliceNanoseconds - healed)
            }
            number += 1
        }
        return nil
    }

    /// Nanoseconds from `healed` to the first sample with the baseline's number of open connections. A pool notices dead
    /// connections only when it touches them, so what it shows right after the heal may be the state before the fault:
    /// if it shrinks within a second of the heal, only what follows counts.
    private func fullPool(_ open: Int64, inject: Int64, healed: Int64, until: Int64) -> Int64? {
        guard until > healed else { return nil }
        let dip = gauges.firstDip(below: open, in: inject..<max(inject, min(until, healed + 1_000_000_000)))
        let begin = max(healed, dip ?? healed)
        return gauges.firstTime(atLeast: open, from: begin, before: until).map { $0 - healed }
    }

    private func lost(since inject: Int64, until: Int64) -> Int {
        slices.lostCount(Self.numbers(from: inject, to: until))
    }

    private static func numbers(from: Int64, to: Int64) -> Range<Int64> {
        let first = ThroughputSlices.number(at: from)
        return first..<max(first, ThroughputSlices.number(at: max(from, to) - 1) + 1)
    }
}

extension FaultTimeline.Moment {
    fileprivate static let max = FaultTimeline.Moment(index: .max, time: .max)
}
