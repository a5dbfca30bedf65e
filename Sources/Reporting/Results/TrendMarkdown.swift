/// `report --trend --markdown`: for the step summary of a CI service, or a comment.
package enum TrendMarkdown {
    package static func render(_ trends: [Trend]) -> String {
        if trends.isEmpty { return "## Trend\n\nNo run is filed.\n" }
        return trends.map(section).joined(separator: "\n")
    }

    private static func section(_ trend: Trend) -> String {
        var lines = ["## \(MarkdownText.plain(trend.scenario)): \(TrendWords.answer(trend))", ""]
        for entry in trend.flagged {
            let sign = entry.flag.isWorse ? "🔺" : "🔹"
            lines.append("- \(sign) \(MarkdownText.plain(trend.words(entry.series, entry.flag)))")
        }
        for note in trend.notes { lines.append("- \(MarkdownText.plain(note))") }
        if lines.count > 2 { lines.append("") }
        let rows = TrendWords.rows(trend)
        if !rows.isEmpty {
            lines += ["| metric | usual | newest | change | trend |", "|---|--:|--:|--:|---|"]
            lines += rows.map { row in
                let change = row.isFlagged ? "\(row.change) 🔺" : row.change
                let cells = [row.title, row.usual, row.newest, change].map { MarkdownText.plain($0) }
                return "| \((cells + [row.blocks]).joined(separator: " | ")) |"
            }
            lines.append("")
        }
        if let newest = trend.newest { lines += [MarkdownText.plain(TrendWords.origin(newest, trend)), ""] }
        return lines.joined(separator: "\n")
    }
}

/// Text of others in Markdown.
enum MarkdownText {
    /// Nothing in it is markup, a cell of a table or a new line.
    static func plain(_ text: String) -> String {
        TerminalText.clean(text).reduce(into: "") { result, character in
            if "\\`*_[]<>|#~&".contains(character) { result.append("\\") }
            result.append(character)
        }
    }
}
