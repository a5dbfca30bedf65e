/// The numbers of one scenario over its last runs, and which of them drifted. Pure.
package struct Trend: Sendable {
    /// One metric over the runs.
    package struct Series: Sendable {
        package var metric: Metric
        /// By position in ``Trend/runs``; `nil` where the run has no such number or was not judged.
        package var values: [Double?]
        /// By position in ``Trend/runs``.
        package var flags: [Flag]
        /// `nil`: too few runs to judge.
        package var levels: [Double?]?
    }

    package struct Flag: Sendable, Equatable {
        package enum Kind: String, Sendable {
            /// One run beside the level of the others.
            case slowRun = "slow-run"
            /// From this run on, or for two runs at least, the level is another one.
            case step
        }
        package var kind: Kind
        /// Position in ``Trend/runs``.
        package var at: Int
        /// The last run of it.
        package var last: Int
        package var usual: Double
        package var seen: Double
        /// A step to the better is told, and is no drift.
        package var isWorse: Bool
        /// The newest run is concerned.
        package var reachesNewest: Bool
    }

    package var scenario: String
    /// Oldest first.
    package var runs: [FiledRun]
    /// By position: the run can be compared with the newest one; else why not.
    package var leftOut: [String?]
    package var series: [Series]

    /// - Parameters:
    ///   - runs: of one scenario, oldest first.
    ///   - among: how many scenarios the report has, which share one budget of false alarms.
    package init(scenario: String, runs: [FiledRun], among scenarios: Int = 1) {
        self.scenario = scenario
        self.runs = runs
        // An interrupted run has not done what the others did: what the others are compared with is the newest whole one.
        let standard = Self.standard(runs.reversed())
        var leftOut = runs.map { run in standard.flatMap { Self.reason(run, $0) } }
        let alike = zip(runs, leftOut).filter { $0.1 == nil }.map(\.0)
        let usual = RobustStatistics.median(alike.compactMap { $0.measure(FiledRun.runnableThreads) })
        for (position, run) in runs.enumerated() where leftOut[position] == nil && Self.wasBusy(run, usual) {
            leftOut[position] = "the machine was busier than usual"
        }
        self.leftOut = leftOut
        var metrics: [Metric] = []
        var columns: [[Double?]] = []
        var places: [String: Int] = [:]
        // The newest first: its order is the report's.
        for (position, run) in runs.enumerated().reversed() where leftOut[position] == nil {
            for entry in MetricCatalogue.values(of: run) {
                let place = places[entry.metric.name] ?? metrics.count
                if place == metrics.count {
                    places[entry.metric.name] = place
                    metrics.append(entry.metric)
                    columns.append([Double?](repeating: nil, count: runs.count))
                }
                columns[place][position] = entry.value
            }
        }
        let judged = columns.count { $0.count { $0 != nil } >= DriftDetector.fewestRuns }
        let detector = DriftDetector(series: judged * max(1, scenarios))
        // A run that is left out says nothing, and so it does not make a red trend green.
        let newest = leftOut.lastIndex { $0 == nil }
        series = zip(metrics, columns).map { Self.judge($0, $1, detector, newest: newest) }
    }

    /// - Parameter newestFirst: `nil` only of none.
    private static func standard(_ newestFirst: [FiledRun]) -> FiledRun? {
        let whole = newestFirst.filter { !$0.wasInterrupted }
        return whole.first { $0.origin.isKnown } ?? whole.first ?? newestFirst.first
    }

    /// What is worth reading for a trend over so many runs: the last ones, and of those before as many as it takes to have so many
    /// that can be compared with the newest. A scenario that is run on five servers in turn has every fifth run of each.
    ///
    /// - Parameter newestFirst: without their numbers.
    static func needed(_ newestFirst: [FiledRun], last: Int) -> [FiledRun] {
        guard let standard = standard(newestFirst) else { return [] }
        var alike = 0
        return newestFirst.enumerated().filter { place, run in
            let isAlike = reason(run, standard) == nil
            if isAlike { alike += 1 }
            return place < last || isAlike && alike <= last
        }.map(\.element)
    }

    private static func reason(_ run: FiledRun, _ standard: FiledRun) -> String? {
        if run.wasInterrupted { return "interrupted" }
        if run.scenarioHash != standard.scenarioHash { return "another version of the scenario" }
        if run.origin.machineWords != standard.origin.machineWords {
            return "another machine or server: \(run.origin.machineWords)"
        }
        return nil
    }

    /// For each processor one thread more than usual waited: what the run measured is theirs. A pool that spins adds no more than
    /// its own few threads, and does not hide behind this.
    private static func wasBusy(_ run: FiledRun, _ usual: Double?) -> Bool {
        guard let usual, let threads = run.measure(FiledRun.runnableThreads) else { return false }
        return threads > usual + Double(run.origin.cores ?? 1)
    }

    private static func judge(
        _ metric: Metric, _ values: [Double?], _ detector: DriftDetector, newest: Int?
    ) -> Series {
        let present = values.indices.filter { values[$0] != nil }
        guard let result = detector.judge(present.compactMap { values[$0] }, metric) else {
            return Series(metric: metric, values: values, flags: [], levels: nil)
        }
        var levels = [Double?](repeating: nil, count: values.count)
        for (place, position) in present.enumerated() { levels[position] = result.levels[place] }
        var flags = result.slowRuns.map { slow in
            let position = present[slow.at]
            return Flag(
                kind: .slowRun, at: position, last: position, usual: slow.usual, seen: values[position] ?? 0,
                isWorse: true,
                reachesNewest: position == newest)
        }
        flags += result.steps.map { step in
            let last = present[step.last]
            return Flag(
                kind: .step, at: present[step.at], last: last, usual: step.before, seen: step.after,
                isWorse: step.isWorse, reachesNewest: last == newest)
        }
        return Series(metric: metric, values: values, flags: flags.sorted { $0.at < $1.at }, levels: levels)
    }

    // MARK: Answers

    /// How many runs are compared with each other.
    package var comparable: Int { leftOut.count { $0 == nil } }
    /// Their positions in ``runs``, oldest first.
    var compared: [Int] { leftOut.indices.filter { leftOut[$0] == nil } }
    /// The newest run that is compared; where there is none, the newest at all.
    var newest: FiledRun? { compared.last.map { runs[$0] } ?? runs.last }
    package var hasEnoughRuns: Bool { comparable >= DriftDetector.fewestRuns }

    /// What drifted, newest first; of the same run the most important metric first.
    package var flagged: [(series: Series, flag: Flag)] {
        let all = series.flatMap { series in series.flags.map { (series: series, flag: $0) } }
        return all.enumerated().sorted {
            ($1.element.flag.at, $0.offset) < ($0.element.flag.at, $1.offset)
        }.map(\.element)
    }

    /// Something became worse.
    package var hasDrift: Bool { flagged.contains { $0.flag.isWorse } }
    /// The same, and the newest run has it.
    package var hasDriftNow: Bool { flagged.contains { $0.flag.isWorse && $0.flag.reachesNewest } }

    /// One sentence.
    package func words(_ series: Series, _ flag: Flag) -> String {
        let run = runs[flag.at]
        let what =
            "\(series.metric.words(flag.seen)) instead of \(series.metric.words(flag.usual)) "
            + "(\(Numbers.change(from: flag.usual, to: flag.seen)))"
        let place =
            switch flag.kind {
            case .slowRun: "in run \(run.id)"
            case .step where flag.last == series.values.lastIndex { $0 != nil }: "from run \(run.id) on"
            case .step: "in runs \(run.id) to \(runs[flag.last].id)"
            }
        return "\(series.metric.title): \(flag.isWorse ? "" : "better, ")\(what) \(place)"
    }

    /// What to know before believing the numbers.
    package var notes: [String] {
        var notes: [String] = []
        if !hasEnoughRuns {
            notes.append(
                "too few runs: \(comparable) can be compared, and drift is judged from \(DriftDetector.fewestRuns) on")
        }
        var counts: [(reason: String, count: Int)] = []
        for reason in leftOut.compactMap({ $0 }) {
            if let place = counts.firstIndex(where: { $0.reason == reason }) {
                counts[place].count += 1
            } else {
                counts.append((reason, 1))
            }
        }
        notes += counts.map { "left out: \($0.count) \($0.count == 1 ? "run" : "runs"), \($0.reason)" }
        return notes
    }
}
