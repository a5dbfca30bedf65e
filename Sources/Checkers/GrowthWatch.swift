import RigModel

/// The part that `flat-memory` and `flat-descriptors` share: a number of the process that holds the pool, judged from the phase
/// `steady` (else from the first fifth of the samples on) until the load ended; after the last start of that process only.
struct GrowthWatch: Sendable {
    private var surroundings = Surroundings()
    private var series = GrowthSeries()
    private var restartedAt: Int64 = 0
    /// Operations that ended.
    private var operations = 0

    /// - Parameter value: what to read from `probe/sample`.
    mutating func observe(_ event: Event, _ value: (JSONValue) -> Int64?) {
        surroundings.observe(event)
        if event.completion != nil {
            operations += 1
        } else if event.process == .probe, event.function == "sample", let value = value(event.value) {
            series.add(value, at: event.moment)
        } else if event.process == .pool, event.function == "process-ended" {
            restartedAt = max(restartedAt, event.time)
        }
    }

    mutating func merge(_ other: GrowthWatch) {
        surroundings.merge(other.surroundings)
        series.merge(other.series)
        restartedAt = max(restartedAt, other.restartedAt)
        operations += other.operations
    }

    /// What to call things, and from where on growth is too much.
    struct Rule: Sendable {
        var shape: Shape
        /// `memory`.
        var noun: String
        /// A number of the series, or so much of it a second, in words.
        var words: @Sendable (Double) -> String
        var perSecond: Double
        /// Growth that is never too much, however steep.
        var floor: Int64
        /// Steady growth in all that is too much, however slow.
        var atMost: Int64
        /// What the rig itself keeps of each operation, and may make `atMost` larger.
        var perOperation: Int64
        var atLeast: Int64
    }

    func judge(_ rule: Rule) -> InvariantResult {
        guard let growth = series.growth(from: begin, to: surroundings.loadEnd) else {
            return .judged(
                rule.shape, Findings(), unless: "there are fewer than ten samples of the \(rule.noun)", summary: "")
        }
        var findings = Findings()
        let grown = growth.end - growth.begin
        let isLong = growth.nanoseconds >= rule.atLeast
        let atMost = max(rule.atMost, rule.floor) + rule.perOperation * Int64(operations)
        let isFast = growth.perSecond > rule.perSecond && grown > rule.floor
        // Steady: the usual slope explains at least half of it, so it is not one step.
        let isSteady = growth.perSecond * Double(growth.nanoseconds) / 1e9 >= Double(grown) / 2
        if isLong, isFast || grown > atMost && isSteady {
            findings.add([
                Finding(
                    title: isFast
                        ? "The \(rule.noun) grew by \(rule.words(growth.perSecond)) a second"
                        : "The \(rule.noun) grew by \(rule.words(Double(grown))), slowly and steadily",
                    expected: isFast
                        ? "at most \(rule.words(rule.perSecond)) a second, or \(rule.words(Double(rule.floor))) in all"
                        : "at most \(rule.words(Double(atMost))) in all",
                    seen: "from \(rule.words(Double(growth.begin))) to \(rule.words(Double(growth.end))) in "
                        + "\(growth.nanoseconds.words)",
                    events: [growth.first.index, growth.last.index], time: growth.first.time,
                    activeFault: surroundings.faults.words(from: growth.first.time, to: growth.last.time))
            ])
        }
        let reason =
            isLong
            ? nil
            : "the \(rule.noun) was watched for \(growth.nanoseconds.words), and it takes \(rule.atLeast.words) to judge it"
        return .judged(
            rule.shape, findings, unless: reason,
            summary: "\(rule.noun) from \(rule.words(Double(growth.begin))) to \(rule.words(Double(growth.end))) in "
                + "\(growth.nanoseconds.words), \(rule.words(growth.perSecond)) a second "
                + "(limit \(rule.words(rule.perSecond)) a second)",
            measured: [
                "per_second": .double((growth.perSecond * 1e3).rounded() / 1e3), "begin": .int(growth.begin),
                "end": .int(growth.end), "watched_s": .seconds(growth.nanoseconds), "samples": JSONValue(growth.count),
            ])
    }

    private var begin: Int64 {
        let samples = series.samples
        let steady =
            surroundings.faults.timeline.begin(ofPhase: "steady")
            ?? (samples.isEmpty ? 0 : samples[samples.count / 5].at.time)
        return max(steady, restartedAt)
    }
}
