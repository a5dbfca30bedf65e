package import RigModel

/// `report.html`: one run on one page that needs nothing else, neither network nor other files. Pure.
///
/// Order of a reader's questions: is it good; what was found; when did what happen; how did it come back; then the tables. All that
/// comes from the history is text, never markup; a content security policy forbids everything but the page's own script.
package enum HTMLReport {
    /// - Parameters:
    ///   - lanes: finished, made with ``LaneWindow/around(_:)`` of the same report.
    ///   - scenario: `scenario.yaml`; `nil` where it is not known.
    package static func render(
        report: RunReport, picture: RunPicture, lanes: ConnectionLanes, scenario: String? = nil
    ) -> String {
        let findings = FindingSection(report.invariants, lanes)
        let timeLine = TimeLine(picture)
        let sections: [Section] = [
            findings.section,
            Section(id: "timeline", title: "Time line", body: timeLineBody(timeLine, report)),
            lanesSection(lanes, findings, timeLine),
            RecoverySection(report, picture).section,
            Section(id: "invariants", title: "Invariants", body: InvariantTable(report.invariants).html),
            Section(id: "workload", title: "Workload", body: WorkloadTable(report).html),
            Section(id: "faults", title: "Faults", body: FaultTable(report.faults).html),
            Section(id: "run", title: "The run", body: RunFacts(report, scenario: scenario).html),
        ].compactMap { $0 }
        let links = sections.map { "<li><a href=\"#\($0.id)\">\($0.title)</a></li>" as HTML }
        let page: HTML = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="chaosrig">
            <title>\(report.verdict.rawValue): \(report.scenario), seed \(report.seed)</title>
            <style>\(HTML(trusted: HTMLStyle.text))</style>
            </head>
            <body>
            <a class="skip" href="#main">Skip to the findings</a>
            <header>\(ReportHead(report).html)</header>
            <nav aria-label="Sections"><ul>\(links)</ul></nav>
            <main id="main">
            \(sections.map(\.html))</main>
            <footer><p>Written by chaosrig from history.jsonl. Times count from the run's start.</p></footer>
            <script>\(HTML(trusted: HTMLScript.text))</script>
            </body>
            </html>

            """
        return page.source
    }

    private static let policy: HTML =
        "default-src 'none'; style-src 'unsafe-inline'; script-src '\(HTML(trusted: HTMLScript.digest))'; base-uri 'none'; form-action 'none'"

    private static func timeLineBody(_ timeLine: TimeLine, _ report: RunReport) -> HTML {
        """
        <p class="hint">\(timeLine.bands.bands.isEmpty ? "" : "Shaded: a fault is active, from its injection to its heal. ")Point at a \
        plot, touch it, or focus it and use the arrow keys, to read its numbers.</p>
        \(timeLine.html)
        \(NumbersTable(timeLine).html)
        """
    }

    private static func lanesSection(
        _ lanes: ConnectionLanes, _ findings: FindingSection, _ timeLine: TimeLine
    ) -> Section? {
        if lanes.pictures.isEmpty { return nil }
        let figures = lanes.pictures.map { picture in
            LaneFigure(picture, timeLine.bands, duration: timeLine.picture.duration).html { number in
                "<a href=\"#finding-\(number)\">finding \(number)</a>"
            }
        }
        let left = findings.countWithoutWindow
        let rest: HTML =
            left == 0
            ? ""
            : "<p class=\"quiet\">\(left) more finding\(left == 1 ? " has" : "s have") no figure: only the first of each invariant, and as many others as there is room for, do.</p>"
        return Section(
            id: "connections", title: "Connections around the findings",
            body: """
                <ul class="legend wide">\(laneLegend)</ul>
                \(figures)\(rest)
                """)
    }

    private static let laneLegend: HTML = [
        ("<rect class=\"lease\" x=\"1\" y=\"2\" width=\"16\" height=\"8\"/>", "lease, operation ok"),
        ("<rect class=\"lease bad\" x=\"1\" y=\"2\" width=\"16\" height=\"8\"/>", "fail"),
        ("<rect class=\"lease doubt\" x=\"1\" y=\"2\" width=\"16\" height=\"8\"/>", "info"),
        ("<rect class=\"lease kept\" x=\"1\" y=\"2\" width=\"16\" height=\"8\"/>", "never given back"),
        ("<path class=\"open\" d=\"M7 0V12M7 6H11\"/>", "opened"),
        ("<path class=\"open\" d=\"M9 0V12M9 6H5\"/>", "closed on purpose"),
        ("<path class=\"kill\" d=\"M5 2L13 10M13 2L5 10\"/>", "found dead"),
        ("<path class=\"kill\" d=\"M9 0V12\"/>", "session gone on the server"),
        ("<path class=\"kill\" d=\"M6 6L9 3L12 6L9 9Z\"/>", "attempt that failed and was tried again"),
        ("<path class=\"leak\" d=\"M4 11L9 1L14 11Z\"/>", "leak suspected or proven"),
    ].map { (shape: HTML, name: String) -> HTML in
        "<li><svg width=\"18\" height=\"12\" aria-hidden=\"true\">\(shape)</svg>\(name)</li>"
    }.joined()
}

/// A part of the page.
struct Section: Sendable {
    let id: HTML
    let title: String
    let body: HTML

    var html: HTML {
        "<section id=\"\(id)\" aria-labelledby=\"h-\(id)\">\n<h2 id=\"h-\(id)\">\(title)</h2>\n\(body)</section>\n"
    }
}
