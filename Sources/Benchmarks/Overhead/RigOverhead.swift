package import RigModel

/// What it costs a run that somebody watches it: the same short run again and again, with and without.
///
/// In each round every variant runs once, in another order each time; only figures of one round are compared. One variant is
/// the plain run once more: what is between the two is the machine's, and no difference below it can be seen.
package struct RigOverhead: Sendable {
    package enum Variant: String, Sendable, CaseIterable {
        case plain
        case plainAgain = "plain again"
        /// Scraped every second, in turn as text and as protobuf.
        case metrics
        /// The live line, on a terminal.
        case progress
    }

    /// Each variant's run, by rounds.
    package private(set) var rounds: [[Variant: RigRunFigures]] = []

    package init() {}

    package mutating func add(_ round: [Variant: RigRunFigures]) { rounds.append(round) }

    /// Variants in the order of a round: each stands at each place equally often.
    package static func order(inRound round: Int) -> [Variant] {
        let all = Variant.allCases
        return all.indices.map { all[($0 + round) % all.count] }
    }

    /// A figure of a variant divided by that of the plain run of the same round.
    func ratios(_ variant: Variant, _ figure: (RigRunFigures) -> Double) -> [Double] {
        rounds.compactMap { round in
            guard let value = round[variant].map(figure), let base = round[.plain].map(figure), base > 0 else {
                return nil
            }
            return value / base
        }
    }

    package var text: String {
        var table = TextTable(header: [
            "run", "operations/s", "against plain (95 % interval)", "quartiles", "CPU per operation against plain", "n",
        ])
        for variant in Variant.allCases {
            let speeds = rounds.compactMap { $0[variant]?.operationsPerSecond }
            let speed = speeds.median().map { $0.short } ?? "-"
            guard variant != .plain else {
                table.add([variant.rawValue, speed, "1", "-", "1", "\(speeds.count)"])
                continue
            }
            let ratios = ratios(variant, \.operationsPerSecond)
            let costs = Self.ratios(ratios: self.ratios(variant, \.processorSecondsPerOperation))
            let sorted = ratios.sorted()
            let quartiles =
                sorted.count >= 4
                ? "\(sorted[sorted.count / 4].digits(3)) to \(sorted[sorted.count * 3 / 4].digits(3))" : "-"
            table.add([variant.rawValue, speed, Self.ratios(ratios: ratios), quartiles, costs, "\(ratios.count)"])
        }
        return table.text
    }

    private static func ratios(ratios: [Double]) -> String {
        guard let median = ratios.median() else { return "-" }
        guard let interval = interval(ratios) else { return median.digits(4) }
        return "\(median.digits(4)) (\(interval.lowerBound.digits(4)) to \(interval.upperBound.digits(4)))"
    }

    /// Where the true median lies with 95 %, whatever the distribution: between two of the sorted values (the sign test's
    /// interval, by the normal approximation of the binomial). `nil` of less than six.
    static func interval(_ values: [Double]) -> ClosedRange<Double>? {
        guard values.count >= 6 else { return nil }
        let sorted = values.sorted()
        let count = Double(sorted.count)
        let low = max(0, Int((count / 2 - 0.98 * count.squareRoot()).rounded(.down)))
        return sorted[low]...sorted[sorted.count - 1 - low]
    }
}

/// What one run did.
package struct RigRunFigures: Sendable {
    /// Operations that ended in ok.
    package var operations: Int
    /// For how long there was load.
    package var seconds: Double
    /// Of the rig, without the database's.
    package var processorSeconds: Double
    /// Answers that a scraper got.
    package var scrapes = 0
    /// Bytes that a terminal got.
    package var screenBytes = 0

    package init(operations: Int, seconds: Double, processorSeconds: Double) {
        self.operations = operations
        self.seconds = seconds
        self.processorSeconds = processorSeconds
    }

    package var operationsPerSecond: Double { Double(operations) / seconds }
    package var processorSecondsPerOperation: Double { processorSeconds / Double(max(1, operations)) }

    package func json(_ variant: RigOverhead.Variant, round: Int) -> JSONValue {
        [
            "round": JSONValue(round), "variant": .string(variant.rawValue), "operations": JSONValue(operations),
            "seconds": .double(seconds), "processor_seconds": .double(processorSeconds),
            "scrapes": JSONValue(scrapes), "screen_bytes": JSONValue(screenBytes),
        ]
    }
}
