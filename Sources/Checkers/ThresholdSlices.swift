import RigModel

/// What a set of measures came to in each fifth of a second, by when the operations ended. A mergeable fold; for each measure
/// about 0.4 kB a slice.
struct ThresholdSlices: Sendable {
    static let slice: Int64 = 200_000_000

    private struct Cell: Sendable {
        var latency = LatencySketch()
        var ok = 0
        var lost = 0
        /// Operations that began, of a throughput.
        var begun = 0
        /// The one that shows it best: the longest, or the first that failed.
        var worst: Incident?

        mutating func note(_ incident: Incident) { worst = worst.map { min($0, incident) } ?? incident }

        mutating func merge(_ other: Cell) {
            if let theirs = other.worst { note(theirs) }
            latency.merge(other.latency)
            ok += other.ok
            lost += other.lost
            begun += other.begun
        }
    }

    let measures: [Threshold.Measure]
    private let needsBegin: Bool
    private var open = OpenOperations()
    private var slices: [Int64: [Cell]] = [:]

    init(_ measures: [Threshold.Measure]) {
        self.measures = measures
        needsBegin = measures.contains { if case .latency(.operation, _) = $0 { true } else { false } }
    }

    mutating func observe(_ event: Event) {
        guard case .worker = event.process else { return }
        let begun = needsBegin ? open.observe(event) : nil
        if event.kind == .invoke { noteBegin(event) }
        guard event.kind == .ok || event.kind == .fail || event.kind == .info else { return }
        for position in measures.indices { add(event, begun, to: position) }
    }

    mutating func merge(_ other: ThresholdSlices) {
        open.merge(other.open)
        slices.merge(other.slices) { mine, theirs in
            var both = mine
            for position in both.indices { both[position].merge(theirs[position]) }
            return both
        }
    }

    /// The value over the slices that are chosen; `nil` when nothing of the sort ended in them. Of a quantile, which is known
    /// to 6 %, the end that is kinder to the bound.
    ///
    /// - Parameter dropped: operations that were never started meanwhile: of all kinds they are lost.
    func value(of threshold: Threshold, in numbers: [Int64], dropped: Int) -> Double? {
        var isOfAllKinds = false
        if case .errors(nil) = threshold.measure { isOfAllKinds = true }
        return value(of: threshold, in: numbers, assuming: isOfAllKinds ? dropped : 0)
    }

    /// The same had the dropped ones been as bad for the bound as they could have been.
    func worstValue(of threshold: Threshold, in numbers: [Int64], dropped: Int) -> Double? {
        value(of: threshold, in: numbers, assuming: dropped)
    }

    /// - Parameter missing: operations beside those that ended, the worst that can be for the bound.
    private func value(of threshold: Threshold, in numbers: [Int64], assuming missing: Int) -> Double? {
        guard let position = measures.firstIndex(of: threshold.measure) else { return nil }
        var sum = Cell()
        for number in numbers { if let cells = slices[number] { sum.merge(cells[position]) } }
        switch threshold.measure {
        case .latency(_, let quantile):
            let wantsLong = threshold.comparison == .above || threshold.comparison == .atLeast
            let step = sum.latency.step(
                atQuantile: quantile, shorter: wantsLong ? UInt64(missing) : 0, longer: wantsLong ? 0 : UInt64(missing))
            return step.map { Double(wantsLong ? $0.upperBound : $0.lowerBound) }
        case .errors(let kind):
            let wantsMany = threshold.comparison == .above || threshold.comparison == .atLeast
            // Those of another kind would not make a kind's share smaller.
            let lost = sum.lost + (kind != nil && wantsMany ? 0 : missing)
            return sum.ok + lost == 0 ? nil : Double(lost) / Double(sum.ok + lost)
        case .throughput:
            return numbers.isEmpty || sum.ok + sum.lost == 0 && !wasInFlight(position, numbers)
                ? nil : Double(sum.ok) * 1e9 / Double(Int64(numbers.count) * Self.slice)
        }
    }

    /// An operation had begun before the end of the slices, and had not ended before they began: none that ended in them is a
    /// throughput of 0, and not an unknown one.
    private func wasInFlight(_ position: Int, _ numbers: [Int64]) -> Bool {
        guard let first = numbers.min(), let last = numbers.max() else { return false }
        var count = 0
        for (number, cells) in slices {
            if number <= last { count += cells[position].begun }
            if number < first { count -= cells[position].ok + cells[position].lost }
        }
        return count > 0
    }

    private mutating func noteBegin(_ event: Event) {
        for (position, measure) in measures.enumerated() {
            guard case .throughput(let kind) = measure, kind == nil || kind == event.function else { continue }
            change(event.time, position) { $0.begun += 1 }
        }
    }

    /// Those that show it best, worst first: one of each slice at the most.
    func worst(of measure: Threshold.Measure, in numbers: [Int64]) -> [Incident] {
        guard let position = measures.firstIndex(of: measure) else { return [] }
        return numbers.compactMap { slices[$0]?[position].worst }.sorted()
    }

    private mutating func add(_ event: Event, _ begun: FaultTimeline.Moment?, to position: Int) {
        switch measures[position] {
        case .latency(let call, _):
            guard let took = Self.duration(of: call, event, begun) else { return }
            change(event.time, position) { cell in
                cell.latency.add(nanoseconds: took)
                cell.note(Incident(event, weight: took, since: event.time - took))
            }
        case .errors(let kind), .throughput(let kind):
            guard kind == nil || kind == event.function else { return }
            if case .errors = measures[position], event.isClientsOwnEnd { return }
            let isOK = event.kind == .ok
            change(event.time, position) { cell in
                if isOK { cell.ok += 1 } else { cell.lost += 1 }
                if !isOK { cell.note(Incident(event)) }
            }
        }
    }

    private static func duration(
        of call: Threshold.Call, _ event: Event, _ begun: FaultTimeline.Moment?
    ) -> Int64? {
        switch call {
        case .acquire: event.completion?.acquireNanoseconds
        case .query: event.completion?.queryNanoseconds
        case .release: event.completion?.releaseNanoseconds
        case .operation(let kind):
            event.kind == .ok && (kind == nil || kind == event.function)
                ? begun.map { event.time - $0.time + (event.completion?.lagNanoseconds ?? 0) } : nil
        }
    }

    private mutating func change(_ time: Int64, _ position: Int, _ body: (inout Cell) -> Void) {
        body(&slices[time / Self.slice, default: measures.map { _ in Cell() }][position])
    }
}
