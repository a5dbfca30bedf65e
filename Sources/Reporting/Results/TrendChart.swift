/// One metric over the runs that are compared as inline SVG: a line, the level it is compared with, flagged runs marked, a tooltip for each run.
struct TrendChart {
    private let series: Trend.Series
    private let trend: Trend
    /// Positions of the runs that are compared: those that are not leave no gaps.
    private let shown: [Int]
    private let top: Double

    private static let width = 320.0
    private static let height = 90.0
    private static let bottom = 76.0
    private static let ceiling = 8.0

    init(_ series: Trend.Series, _ trend: Trend) {
        self.series = series
        self.trend = trend
        shown = trend.compared
        // From 0, so that twice as much looks like twice as much.
        top = max(series.values.compactMap { $0 }.max() ?? 0, series.metric.floor)
    }

    var svg: String {
        let title = TrendHTML.text("\(series.metric.title), \(TrendWords.counted(shown.count, "run"))")
        var parts = ["<svg viewBox=\"0 0 320 90\" role=\"img\" aria-label=\"\(title)\">"]
        parts.append(
            "<line class=\"axis\" x1=\"0\" x2=\"320\" y1=\"\(Self.number(Self.bottom))\" y2=\"\(Self.number(Self.bottom))\"/>"
        )
        parts += lines(of: series.levels, style: "level") + lines(of: series.values, style: "curve")
        parts += shown.indices.compactMap(dot)
        parts.append("<text x=\"0\" y=\"88\">0 … \(TrendHTML.text(series.metric.words(top)))</text>")
        let span = [shown.first, shown.last].compactMap { $0.map { "\(trend.runs[$0].id)" } }.joined(separator: " – ")
        parts.append("<text x=\"320\" y=\"88\" text-anchor=\"end\">runs \(span)</text>")
        parts.append("</svg>")
        return parts.joined(separator: "\n")
    }

    /// One line for each stretch without a gap.
    private func lines(of values: [Double?]?, style: String) -> [String] {
        guard let values else { return [] }
        var lines: [String] = []
        var points: [String] = []
        func end() {
            if points.count > 1 {
                lines.append("<polyline class=\"\(style)\" points=\"\(points.joined(separator: " "))\"/>")
            }
            points = []
        }
        for (place, position) in shown.enumerated() {
            if let value = values[position] {
                points.append("\(Self.number(x(place))),\(Self.number(y(value)))")
            } else {
                end()
            }
        }
        end()
        return lines
    }

    private func dot(at place: Int) -> String? {
        let position = shown[place]
        guard let value = series.values[position] else { return nil }
        let run = trend.runs[position]
        let flag = series.flags.first { $0.at == position }
        let commit = run.origin.shortCommit.map { ", commit \($0)" } ?? ""
        var words = "run \(run.id), \(run.startedAt)\(commit): \(series.metric.words(value)), \(run.verdict)"
        if let flag { words += "; \(trend.words(series, flag))" }
        let centre = "cx=\"\(Self.number(x(place)))\" cy=\"\(Self.number(y(value)))\""
        let good = flag?.isWorse == false ? " good" : ""
        let style = flag != nil ? "flag\(good)" : run.verdict == "valid" ? "dot" : "dot invalid"
        let halo = flag == nil ? "" : "<circle class=\"halo\(good)\" \(centre) r=\"7\"/>"
        return
            "<g><title>\(TrendHTML.text(words))</title>\(halo)<circle class=\"\(style)\" \(centre) r=\"\(flag == nil ? 2.2 : 3.5)\"/>"
            // A larger place to point at.
            + "<circle \(centre) r=\"8\" fill=\"transparent\"/></g>"
    }

    private func x(_ place: Int) -> Double {
        let last = Double(max(1, shown.count - 1))
        return 8 + Double(place) / last * (Self.width - 16)
    }

    private func y(_ value: Double) -> Double { Self.bottom - value / top * (Self.bottom - Self.ceiling) }

    private static func number(_ value: Double) -> String { String((value * 10).rounded() / 10) }
}
