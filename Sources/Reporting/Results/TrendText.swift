/// `report --trend` on a terminal.
package enum TrendText {
    package static func render(_ trends: [Trend], width: Int, color: Bool) -> String {
        var page = TextPage(width: width, color: color)
        for trend in trends { add(trend, to: &page) }
        return page.lines.dropFirst().joined(separator: "\n")
    }

    private static func add(_ trend: Trend, to page: inout TextPage) {
        page.heading("\(trend.scenario): \(TrendWords.answer(trend))")
        for entry in trend.flagged {
            page.entry(
                indent: 2, label: entry.flag.isWorse ? "drift" : "better", entry.flag.isWorse ? .bad : .good, column: 9,
                trend.words(entry.series, entry.flag))
        }
        for note in trend.notes { page.entry(indent: 2, label: "note", .doubt, column: 9, note) }
        let rows = TrendWords.rows(trend)
        if !rows.isEmpty {
            page.table(
                header: ["metric", "usual", "newest", "change", "oldest to newest"],
                rows: rows.map { [$0.title, $0.usual, $0.newest, $0.change, $0.blocks] })
        }
        if let newest = trend.newest {
            page.entry(indent: 2, label: "", nil, TrendWords.origin(newest, trend))
        }
    }
}
