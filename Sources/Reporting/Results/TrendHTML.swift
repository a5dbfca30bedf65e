/// `report --trend --html`: one page without network, light and dark, on paper, too.
package enum TrendHTML {
    package static func render(_ trends: [Trend]) -> String {
        let drifted = trends.contains(where: \.hasDrift)
        let isJudged = trends.contains(where: \.hasEnoughRuns)
        let answer = drifted ? "Drift" : isJudged ? "No drift" : "Too few runs to judge"
        let style = drifted ? "bad" : isJudged ? "good" : "doubt"
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <link rel="icon" href="data:,">
            <title>chaosrig trend: \(answer.lowercased())</title>
            <style>
            \(TrendStyle.css)
            </style>
            </head>
            <body>
            <header><p class="brand">chaosrig trend</p><h1><span class="badge \(style)">\(answer)</span></h1></header>
            <main>
            \(trends.isEmpty ? "<p>No run is filed.</p>" : trends.map(section).joined(separator: "\n"))
            </main>
            </body>
            </html>

            """
    }

    private static func section(_ trend: Trend) -> String {
        var parts = ["<section>", "<h2>\(text(trend.scenario)) <small>\(text(TrendWords.answer(trend)))</small></h2>"]
        if !trend.flagged.isEmpty {
            let items = trend.flagged.map { entry in
                let style = entry.flag.isWorse ? "bad" : "good"
                return "<li class=\"\(style)\">\(text(trend.words(entry.series, entry.flag)))</li>"
            }
            parts.append("<ul class=\"flags\">\(items.joined())</ul>")
        }
        if !trend.notes.isEmpty {
            parts.append("<ul class=\"notes\">\(trend.notes.map { "<li>\(text($0))</li>" }.joined())</ul>")
        }
        if let newest = trend.newest {
            parts.append("<p class=\"faint\">\(text(TrendWords.origin(newest, trend)))</p>")
        }
        let flagged = trend.series.filter { $0.flags.contains(where: \.isWorse) }
        let others = trend.series.filter { !$0.flags.contains(where: \.isWorse) }
        parts.append("<div class=\"charts\">")
        parts += (flagged + others).map { figure($0, trend) }
        parts.append("</div>")
        parts.append(runs(trend))
        parts.append("</section>")
        return parts.joined(separator: "\n")
    }

    private static func figure(_ series: Trend.Series, _ trend: Trend) -> String {
        let isFlagged = series.flags.contains(where: \.isWorse)
        let newest = trend.compared.last.flatMap { series.values[$0] }
        let words = newest.map { "<b>\(text(series.metric.words($0)))</b>" } ?? "<b>–</b>"
        return """
            <figure\(isFlagged ? " class=\"flagged\"" : "")>
            <figcaption><span>\(text(series.metric.title))</span>\(words)</figcaption>
            \(TrendChart(series, trend).svg)
            </figure>
            """
    }

    private static func runs(_ trend: Trend) -> String {
        let rows = zip(trend.runs, trend.leftOut).reversed().map { run, reason in
            let cells = [
                "\(run.id)", run.startedAt, run.origin.shortCommit ?? "–", run.seed, run.verdict, reason ?? "",
                run.folder,
            ]
            return "<tr>\(cells.map { "<td>\(text($0))</td>" }.joined())</tr>"
        }
        let head = ["run", "started", "commit", "seed", "verdict", "left out", "folder"].map { "<th>\($0)</th>" }
        return """
            <details><summary>\(TrendWords.counted(trend.runs.count, "run"))</summary>
            <div class="wide"><table><thead><tr>\(head.joined())</tr></thead><tbody>
            \(rows.joined(separator: "\n"))
            </tbody></table></div></details>
            """
    }

    static func text(_ text: String) -> String {
        TerminalText.clean(text).reduce(into: "") { result, character in
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
    }
}
