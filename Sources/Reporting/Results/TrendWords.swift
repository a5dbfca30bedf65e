/// What the console, Markdown and HTML say in common.
enum TrendWords {
    struct Row {
        var title: String
        var usual: String
        var newest: String
        var change: String
        /// One block for each run that is compared, oldest first, as high as its value; a dot where there is none.
        var blocks: String
        /// Something in it became worse.
        var isFlagged: Bool
    }

    /// `drift in 2 metrics`.
    static func answer(_ trend: Trend) -> String {
        guard trend.hasEnoughRuns else { return "too few runs to judge" }
        let worse = trend.series.count { series in series.flags.contains(where: \.isWorse) }
        if worse > 0 { return "drift in \(counted(worse, "metric"))" }
        return "no drift over \(counted(trend.comparable, "run"))"
    }

    /// The metrics that drifted first.
    static func rows(_ trend: Trend) -> [Row] {
        let rows = trend.series.map { row($0, trend) }
        return rows.filter(\.isFlagged) + rows.filter { !$0.isFlagged }
    }

    private static func row(_ series: Trend.Series, _ trend: Trend) -> Row {
        let metric = series.metric
        let values = trend.compared.map { series.values[$0] }
        let present = values.compactMap { $0 }
        let newest = values.last ?? nil
        let earlier = RobustStatistics.median(Array(newest == nil ? present[...] : present.dropLast()))
        let change =
            if let newest, let earlier { Numbers.change(from: earlier, to: newest) } else { "" }
        return Row(
            title: metric.title, usual: earlier.map(metric.words) ?? "–", newest: newest.map(metric.words) ?? "–",
            change: change, blocks: blocks(values), isFlagged: series.flags.contains(where: \.isWorse))
    }

    private static func blocks(_ values: [Double?]) -> String {
        let present = values.compactMap { $0 }
        guard let low = present.min(), let high = present.max() else { return "" }
        let heights = Array("▁▂▃▄▅▆▇█")
        return String(
            values.suffix(30).map { value in
                guard let value else { return "·" }
                return high > low ? heights[Int((value - low) / (high - low) * 7.999)] : heights[0]
            })
    }

    /// `newest: run 30, 2026-11-21T20:11:12Z, commit 1a2b3c4d5e, 4 cores, …; runs 1 to 30`.
    static func origin(_ newest: FiledRun, _ trend: Trend) -> String {
        var words = ["run \(newest.id) of \(newest.startedAt)"]
        words.append(newest.origin.shortCommit.map { "commit \($0)" } ?? "commit unknown")
        words.append(newest.origin.machineWords)
        return "newest: \(words.joined(separator: ", ")); compared over \(counted(trend.comparable, "run"))"
    }

    static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
