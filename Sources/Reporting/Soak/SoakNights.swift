/// A soak against the soaks of the same scenario before it, as a part of its report. Pure.
package struct SoakNights: Sendable {
    static let title = "Against the last nights"
    private let trend: Trend

    /// - Parameter trend: over the soaks up to this one.
    package init(_ trend: Trend) { self.trend = trend }

    /// What drifted, else that nothing did, or why nobody can tell; the first line is the answer.
    var lines: [(text: String, meaning: Palette.Meaning)] {
        let isLeftOut = trend.leftOut.last.flatMap { $0 }
        var lines: [(text: String, meaning: Palette.Meaning)] = []
        if !trend.hasEnoughRuns {
            let count = trend.comparable
            lines.append(
                (
                    "too few nights to judge: \(count) can be compared, and drift is judged from "
                        + "\(DriftDetector.fewestRuns) on", .doubt
                ))
        } else if trend.flagged.allSatisfy({ !$0.flag.isWorse }) {
            lines.append(("no drift over \(TrendWords.counted(trend.comparable, "night"))", .good))
        }
        lines += trend.flagged.map { (trend.words($0.series, $0.flag), $0.flag.isWorse ? .bad : .good) }
        if let isLeftOut { lines.append(("this soak is not compared: \(isLeftOut)", .doubt)) }
        return lines
    }

    private var rows: [[String]] {
        TrendWords.rows(trend).map { [$0.title, $0.usual, $0.newest, $0.change, $0.blocks] }
    }

    private static let head = ["metric", "usual", "newest", "change", "oldest to newest"]

    func add(to page: inout TextPage) {
        page.heading(Self.title)
        for line in lines {
            let sign = line.meaning == .bad ? "✗" : line.meaning == .good ? "✓" : "?"
            page.entry(indent: 2, label: sign, line.meaning, line.text)
        }
    }

    var markdown: [String] {
        var lines = ["## \(Self.title)", ""] + lines.map { "- \(MarkdownText.plain($0.text))" } + [""]
        if !rows.isEmpty {
            lines += ["| \(Self.head.joined(separator: " | ")) |", "|---|--:|--:|--:|---|"]
            lines += rows.map { row in "| \(row.map(MarkdownText.plain).joined(separator: " | ")) |" } + [""]
        }
        return lines
    }

    var html: HTML {
        let items = lines.map { "<li>\($0.text)</li>" as HTML }
        let table = Table(
            caption: "This soak beside the earlier ones",
            columns: Self.head.enumerated().map { .init(name: $1, isNumber: (1...3).contains($0)) },
            rows: rows.map { row in row.map { "\($0)" } })
        return """
            <section id="nights"><h2>\(Self.title)</h2><ul class="notes">\(items)</ul>\
            \(rows.isEmpty ? nil : table.html)</section>

            """
    }
}
