import RigModel

/// The end of a soak on a terminal: the verdict, what broke, what was injected, then where to look. Pure.
package enum SoakSummary {
    /// - Parameters: as of ``ConsoleSummary/render(_:reportPath:width:color:)``.
    package static func render(
        _ log: SoakLog, nights: SoakNights? = nil, reportPath: String, width: Int, color: Bool
    ) -> String {
        let verdict = SoakVerdict(log)
        let report = SoakReport.make(log)
        var page = TextPage(width: width, color: color)
        let (sign, meaning) = (verdict.verdict.sign, Palette.Meaning(verdict.verdict))
        page.entry(
            indent: 0, label: "\(sign) \(verdict.verdict.rawValue.uppercased())", meaning,
            "soak of \(log.scenario), seed \(log.seed), \(TimeText.words(seconds: log.elapsedSeconds)), "
                + "exit code \(verdict.exitCode)")
        page.entry(indent: 2, label: "", nil, SoakReport.extent(log, verdict))
        if !verdict.reasons.isEmpty {
            page.heading("Why")
            for reason in verdict.reasons { page.entry(indent: 2, label: sign, meaning, reason) }
        }
        let findings = report.invariants.flatMap { result in result.findings.map { (result.name, $0) } }
        if !findings.isEmpty {
            page.heading("Findings")
            for (number, (name, finding)) in findings.enumerated() {
                page.entry(indent: 2, label: "\(number + 1). \(name):", .bad, finding.title)
                page.entry(indent: 5, label: "", nil, "\(finding.seen); fault: \(finding.activeFault)")
                if let site = finding.site { page.entry(indent: 5, label: "", nil, "borrowed at \(site)") }
            }
        }
        page.heading("Invariants")
        let column = 6 + (report.invariants.map { TerminalText.width($0.name) }.max() ?? 0)
        for result in report.invariants {
            let (sign, meaning) = (result.verdict.sign, Palette.Meaning(result.verdict))
            page.entry(indent: 2, label: "\(sign) \(result.name)", meaning, column: column, result.summary)
        }
        nights?.add(to: &page)
        page.heading("Faults (landed of injected)")
        let kinds = verdict.faults.map { "\($0.kind) \($0.landed)/\($0.injected)" }
        page.entry(indent: 2, label: "", nil, kinds.isEmpty ? "none" : kinds.joined(separator: ", "))
        // The last ones: the pages have all.
        let windowNotes = SoakReport.windowNotes(log.windows).suffix(8).map { "window \($0.window): \($0.note)" }
        let notes = log.notes + windowNotes + log.leftovers
        if !notes.isEmpty {
            page.heading("Notes")
            for note in notes { page.entry(indent: 2, label: "!", .doubt, note) }
        }
        page.heading("More")
        page.whole(label: "  report", reportPath)
        page.whole(label: "  replay", log.replay)
        return page.text
    }
}
