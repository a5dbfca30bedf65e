import Glibc

/// Tells runs that are really worse from runs that are merely different. Pure.
///
/// A series is looked at on a logarithmic scale, because what disturbs a latency multiplies it; small numbers on a linear one
/// (``Metric/linearBelow``). It is cut into stretches of one level each (``Stretches``). From the oldest on, each stretch is
/// compared with the level directly before it: what differs by more than chance would give is a **step**, or a **slow run** where
/// it is one run alone; what does not belongs to that level. A lone run, or two, are no level that others are compared with.
///
/// What chance would give is Student's *t* with the spread within the stretches, so that bad runs do not hide themselves however
/// many they are. Its degrees of freedom are at most half of the runs, and at most ``mostFreedom``, because what disturbs a run has
/// heavier tails than the normal distribution. All comparisons of a report share two budgets of false alarms, one of them for
/// the newest runs alone, which somebody is waiting for. A change must also be larger than the metric's floor and ratio
/// (``Metric``): a series that never moved has no spread, and a microsecond is no drift.
package struct DriftDetector: Sendable {
    /// With fewer runs nothing is said.
    package static let fewestRuns = 8
    /// So many runs are a level that later ones are compared with; fewer could be odd runs that happen to be neighbours.
    package static let shortestLevel = 3
    /// How often a report on normal noise flags the newest runs, at most.
    static let falseAlarmsNow = 0.003
    /// The same, of all earlier ones.
    static let falseAlarmsEarlier = 0.003
    static let mostFreedom = 8.0

    package struct Step: Sendable, Equatable {
        /// The first run of the new level.
        package var at: Int
        /// The last one.
        package var last: Int
        package var before: Double
        package var after: Double
        package var isWorse: Bool
    }

    package struct SlowRun: Sendable, Equatable {
        package var at: Int
        /// The level that it is compared with.
        package var usual: Double
    }

    package struct Result: Sendable, Equatable {
        package var steps: [Step] = []
        package var slowRuns: [SlowRun] = []
        /// By position: the level that the run belongs to; of a slow run the one that it is compared with.
        package var levels: [Double]
    }

    /// How many series the report has, that share the budgets.
    private let series: Int

    package init(series: Int) { self.series = max(1, series) }

    /// - Parameter values: oldest first, none negative.
    /// - Returns: `nil` with fewer than ``fewestRuns`` values.
    package func judge(_ values: [Double], _ metric: Metric) -> Result? {
        guard values.count >= Self.fewestRuns else { return nil }
        var search = LevelSearch(values, metric, series: series)
        return search.result()
    }
}

/// The levels of a series, and what stands beside them.
private struct LevelSearch {
    private struct Level {
        var runs: [Int]
        /// The one before; `nil` of the first.
        var before: Double?
    }

    private let values: [Double]
    private let scale: NoiseScale
    private let heights: [Double]
    private let stretches: [Range<Int>]
    private let series: Int
    /// From the median of its own stretch.
    private var residuals: [Double] = []
    private var deviation = 0.0
    private var levels: [Level] = []

    init(_ values: [Double], _ metric: Metric, series: Int) {
        self.values = values
        self.series = series
        scale = NoiseScale(metric)
        heights = values.map(scale.height)
        stretches = Stretches.cut(
            heights, smallestSpread: scale.smallestSpread(around: RobustStatistics.median(values) ?? 0))
        var squares = 0.0
        for stretch in stretches {
            let (middle, mean) = (RobustStatistics.median(Array(heights[stretch])) ?? 0, Self.mean(heights[stretch]))
            for height in heights[stretch] {
                residuals.append(height - middle)
                squares += (height - mean) * (height - mean)
            }
        }
        let freedom = values.count - stretches.count
        deviation = freedom > 0 ? (squares / Double(freedom)).squareRoot() : .infinity
    }

    mutating func result() -> DriftDetector.Result {
        let parts = parts()
        var long = parts.filter { $0.count >= DriftDetector.shortestLevel }
        if long.isEmpty, let longest = parts.max(by: { $0.count < $1.count }) { long = [longest] }
        for stretch in long {
            if let level = levels.last, change(level, stretch) == nil {
                levels[levels.count - 1].runs += stretch
            } else {
                levels.append(Level(runs: Array(stretch), before: levels.last.map { median($0.runs) }))
            }
        }
        var found = DriftDetector.Result(levels: values)
        for stretch in parts where !long.contains(stretch) { place(stretch, in: &found) }
        for level in levels {
            let height = median(level.runs)
            for position in level.runs { found.levels[position] = height }
            guard let before = level.before, let first = level.runs.min(), let last = level.runs.max(),
                let worth = scale.metric.worth(of: before, height)
            else { continue }
            found.steps.append(.init(at: first, last: last, before: before, after: height, isWorse: worth == .worse))
        }
        found.steps.sort { $0.at < $1.at }
        return found
    }

    /// The stretches; short ones beside each other are one where they are enough for a level: bad nights need not be equally bad.
    private func parts() -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var short: [Range<Int>] = []
        func flush() {
            if let first = short.first, let last = short.last,
                last.upperBound - first.lowerBound >= DriftDetector.shortestLevel
            {
                parts.append(first.lowerBound..<last.upperBound)
            } else {
                parts += short
            }
            short = []
        }
        for stretch in stretches {
            if stretch.count < DriftDetector.shortestLevel {
                short.append(stretch)
            } else {
                flush()
                parts.append(stretch)
            }
        }
        flush()
        return parts
    }

    /// A stretch that is too short for a level of its own: it belongs to the one before it, or stands beside that.
    private func nearest(_ stretch: Range<Int>) -> Int {
        levels.lastIndex { $0.runs[0] < stretch.lowerBound } ?? 0
    }

    private mutating func place(_ stretch: Range<Int>, in found: inout DriftDetector.Result) {
        let level = nearest(stretch)
        guard let worth = change(levels[level], stretch) else {
            levels[level].runs += stretch
            return
        }
        let usual = median(levels[level].runs)
        let seen = median(Array(stretch))
        for position in stretch { found.levels[position] = stretch.count == 1 ? usual : seen }
        // One fast run, or two, are no improvement.
        guard worth == .worse else { return }
        if stretch.count == 1 {
            found.slowRuns.append(.init(at: stretch.lowerBound, usual: usual))
        } else {
            found.steps.append(
                .init(
                    at: stretch.lowerBound, last: stretch.upperBound - 1, before: usual, after: seen, isWorse: true))
        }
    }

    /// - Returns: `nil` when chance may have given it, or nobody would act on it.
    private func change(_ level: Level, _ stretch: Range<Int>) -> Metric.Worth? {
        let (usual, seen) = (median(level.runs), median(Array(stretch)))
        guard let worth = scale.metric.worth(of: usual, seen) else { return nil }
        let count = Double(values.count)
        let shift = abs(Self.mean(heights[stretch]) - Self.mean(level.runs.map { heights[$0] }))
        // What disturbs a run rarely makes it faster: the spread is that of the side on which the stretch lies. Where most runs
        // have the same number, as a recovery that takes no time at all, those that have not are the spread.
        let others = residuals.indices.filter { !stretch.contains($0) }
            .map { worth == .worse ? residuals[$0] : -residuals[$0] }
        let tenth = RobustStatistics.ninetiethPercentile(others)
        let spread = max(deviation, tenth / 1.2816, scale.smallestSpread(around: min(usual, seen)))
        let uncertainty = (1 / Double(stretch.count) + 1 / Double(level.runs.count)).squareRoot()
        let strength = shift / (spread * uncertainty)
        let isNewest = stretch.upperBound == values.count
        let freedom = min(DriftDetector.mostFreedom, count / 2, Double(values.count - stretches.count))
        let tail = isNewest ? DriftDetector.falseAlarmsNow : DriftDetector.falseAlarmsEarlier / count
        let limit = RobustStatistics.criticalValue(tail: tail / Double(series), degreesOfFreedom: max(1, freedom))
        return strength > limit ? worth : nil
    }

    private func median(_ positions: [Int]) -> Double { RobustStatistics.median(positions.map { values[$0] }) ?? 0 }

    private static func mean(_ values: some Collection<Double>) -> Double {
        values.reduce(0, +) / Double(max(1, values.count))
    }
}

/// The scale on which runs are compared.
private struct NoiseScale {
    let metric: Metric

    init(_ metric: Metric) { self.metric = metric }

    /// So that a series that never moved does not call the first small change drift: three in a hundred, or a sixth of the floor.
    func smallestSpread(around value: Double) -> Double {
        max(0.03 * value, metric.floor / 6) / (metric.linearBelow + value)
    }

    /// Upwards is worse.
    func height(_ value: Double) -> Double {
        let height = log1p(max(0, value) / metric.linearBelow)
        return metric.direction == .moreIsWorse ? height : -height
    }
}
