import RigModel

/// `report.html` of a soak: verdict and findings first, then what drifts, window by window, then the tables. One page that needs
/// nothing else. Pure.
package enum SoakPage {
    package static func render(_ log: SoakLog, nights: SoakNights? = nil) -> String {
        let verdict = SoakVerdict(log)
        let report = SoakReport.make(log)
        let reasons = verdict.reasons.map { "<li>\($0)</li>" as HTML }
        let page: HTML = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(verdict.verdict.rawValue): soak of \(log.scenario)</title>
            <style>\(HTML(trusted: HTMLStyle.text + style))</style>
            </head>
            <body>
            <header>
            <p class="brand">chaosrig soak</p>
            <div class="title"><h1>\(log.scenario)</h1>\(ReportHead.badge(verdict.verdict))</div>
            <p class="sentence">\(SoakReport.extent(log, verdict)).</p>
            <p class="summary">\(log.scenarioSummary)</p>
            \(reasons.isEmpty ? nil : "<ul class=\"notes\" aria-label=\"Why\">\(reasons)</ul>")
            <dl class="tiles">\(tiles(log, verdict))</dl>
            </header>
            <main id="main">
            \(findings(log))
            <section id="windows"><h2>From window to window</h2>
            <p class="hint">Of the steady phase of each window, in which no fault is active. A gap is a window without that number.</p>
            <div class="curves">\(SoakChart.all(log.windows, verdict.drift).map(\.html))</div></section>
            \(nights.map(\.html))
            <section id="faults"><h2>What was injected</h2>\(faults(verdict.faults))</section>
            <section id="invariants"><h2>Invariants</h2>\(InvariantTable(report.invariants).html)</section>
            <section id="table"><h2>Windows</h2>\(windows(log.windows))\(notes(log.windows))</section>
            <section id="run"><h2>The soak</h2>\(facts(log))</section>
            </main>
            <footer><p>Written by chaosrig from soak.json.</p></footer>
            </body>
            </html>

            """
        return page.source
    }

    private static let style = """
        .columns{columns:3 240px;padding-left:18px}.window.bad td,.window.bad th{background:var(--badbg)}
        .point{fill:var(--k0)}.point.bad{fill:var(--badmark)}.point.doubt{fill:var(--doubtmark)}
        .curves figure{border:1px solid var(--rule);border-radius:6px;padding:10px 12px}.curves figure.drifts{border-color:var(--badmark)}
        .curves svg{width:100%;height:auto;display:block}

        """

    private static func tiles(_ log: SoakLog, _ verdict: SoakVerdict) -> HTML {
        let operations = log.windows.reduce(0) { $0 + $1.numbers.ok + $1.numbers.failed + $1.numbers.inDoubt }
        let red = log.windows.count { $0.verdict == .invalid }
        let landed = verdict.faults.reduce(0) { $0 + $1.landed }
        let injected = verdict.faults.reduce(0) { $0 + $1.injected }
        let tiles: [(String, String, String)] = [
            ("windows", "\(log.windows.count)", red == 0 ? "none with a finding" : "\(red) with findings"),
            ("operations", NumberText.count(operations), "over all windows"),
            ("faults landed", "\(landed) of \(injected)", "\(verdict.faults.count) kinds"),
            drift(log, verdict),
            (
                "length", TimeText.words(seconds: log.elapsedSeconds),
                "of \(TimeText.words(seconds: log.plannedSeconds)), from \(log.startedAt)"
            ),
        ]
        return tiles.map { "<div><dt>\($0.0)</dt><dd>\($0.1)<small>\($0.2)</small></dd></div>" as HTML }.joined()
    }

    private static func drift(_ log: SoakLog, _ verdict: SoakVerdict) -> (String, String, String) {
        if verdict.drift.isEmpty, SoakReport.longestRow(log) <= SoakDrift.fewest {
            return ("drift", "not judged", "too few windows in a row")
        }
        let count = verdict.drift.isEmpty ? "none" : "\(verdict.drift.count)"
        return ("drift", count, "memory, descriptors, sessions, p99")
    }

    private static func findings(_ log: SoakLog) -> HTML? {
        let all = log.windows.flatMap { window in window.findings.map { (window, $0) } }
        if all.isEmpty { return nil }
        let items = all.prefix(40).map { window, found -> HTML in
            let site: HTML? = found.site.map { "<dt>borrowed at</dt><dd>\($0)</dd>" }
            let number: HTML =
                window.pageBytes > 0
                ? "<a href=\"\(SoakWindow.folder(window.number))/report.html\">\(window.number)</a>"
                : "\(window.number)"
            return """
                <article class="finding"><h3>\(found.title)</h3><dl><dt>invariant</dt><dd>\(found.invariant)</dd>
                <dt>window</dt><dd>\(number), seed \(window.seed)</dd>
                <dt>fault</dt><dd>\(found.activeFault)</dd>\(site)</dl></article>

                """
        }
        let more: HTML? =
            all.count > 40 ? "<p class=\"quiet\">\(all.count - 40) more are in the windows' reports.</p>" : nil
        return "<section id=\"findings\"><h2>Findings</h2>\(items)\(more)</section>"
    }

    private static func faults(_ kinds: [SoakVerdict.Kind]) -> HTML {
        if kinds.isEmpty { return "<p class=\"none\">No fault was injected.</p>" }
        return Table(
            caption: "Each kind of fault, over all windows",
            columns: [
                .init(name: "Fault"), .init(name: "Injected", isNumber: true), .init(name: "Landed", isNumber: true),
            ],
            rows: kinds.map { ["\($0.kind)", "\($0.injected)", "\($0.landed)"] }
        ).html
    }

    private static func windows(_ windows: [SoakWindow]) -> HTML {
        func number(_ value: Double?, _ unit: String) -> HTML {
            value.map { "\(String(($0 * 10).rounded() / 10)) \(unit)" } ?? "–"
        }
        return Table(
            caption: "Every window, the last first",
            columns: [
                .init(name: "Window", isNumber: true), .init(name: "Verdict"), .init(name: "Faults"),
                .init(name: "Steady", isNumber: true), .init(name: "p99", isNumber: true),
                .init(name: "Memory", isNumber: true), .init(name: "Recovery", isNumber: true), .init(name: "Seed"),
            ],
            rows: windows.reversed().map { window in
                let name: HTML =
                    window.pageBytes > 0
                    ? "<a href=\"\(SoakWindow.folder(window.number))/report.html\">\(window.number)</a>"
                    : "\(window.number)"
                let faults = window.faults.map { $0.landed ? $0.kind : "\($0.kind) (did not land)" }
                return [
                    name, ReportHead.badge(window.verdict), "\(faults.joined(separator: ", "))",
                    number(window.numbers.okPerSecond, "/s"), number(window.numbers.p99Milliseconds, "ms"),
                    number(window.numbers.residentBytes.map { $0 / 1_048_576 }, "MB"),
                    number(window.slowestRecoverySeconds, "s"), "\(String(window.seed))",
                ]
            }
        ).html
    }

    /// Why windows are not valid, beside their findings.
    private static func notes(_ windows: [SoakWindow]) -> HTML? {
        let items = SoakReport.windowNotes(windows).map { "<li>Window \($0.window): \($0.note)</li>" as HTML }
        return items.isEmpty ? nil : "<ul class=\"notes\" aria-label=\"Windows that are not valid\">\(items)</ul>"
    }

    private static func facts(_ log: SoakLog) -> HTML {
        var rows: [(String, String)] = [
            ("replay", log.replay), ("seed", String(log.seed)), ("target", log.target),
            ("history kept", "\(SoakReport.size(log.keptBytes)) of \(SoakReport.size(log.historyBytes))"),
        ]
        rows += log.environment.known.map { ($0.key, $0.value.stringValue ?? $0.value.compactText) }
        rows += (log.notes + log.leftovers).map { ("note", $0) }
        return "<dl class=\"values facts\">\(rows.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" as HTML })</dl>"
    }
}
