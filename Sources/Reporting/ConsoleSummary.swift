package import RigModel

/// The end of a run on a terminal, readable in five seconds: the verdict, each invariant with its mark, what was found,
/// then the numbers. Pure: the caller decides about width and colour.
package enum ConsoleSummary {
    /// - Parameters:
    ///   - reportPath: where the full report lies; `nil` when none was written.
    ///   - width: columns of the terminal; below 20 counts as 20.
    ///   - color: with ANSI colours.
    /// - Returns: lines, each ended by a line feed.
    package static func render(_ report: RunReport, reportPath: String?, width: Int, color: Bool) -> String {
        var page = TextPage(width: width, color: color)
        verdict(report, on: &page)
        invariants(report.invariants, on: &page)
        findings(report.invariants, on: &page)
        faults(report.faults, on: &page)
        workload(report, on: &page)
        recovery(report.recovery, on: &page)
        if !report.notes.isEmpty {
            page.heading("Notes")
            for note in report.notes { page.entry(indent: 2, label: "!", .doubt, note) }
        }
        page.heading("More")
        if let reportPath { page.whole(label: "  report", reportPath) }
        page.whole(label: "  replay", report.replay)
        return page.text
    }

    private static func mark(_ verdict: Verdict) -> (text: String, meaning: Palette.Meaning) {
        switch verdict {
        case .valid: ("✓", .good)
        case .unknown: ("?", .doubt)
        case .invalid: ("✗", .bad)
        }
    }

    private static func verdict(_ report: RunReport, on page: inout TextPage) {
        let (sign, meaning) = mark(report.verdict)
        page.entry(
            indent: 0, label: "\(sign) \(report.verdict.rawValue.uppercased())", meaning,
            "\(report.scenario), seed \(report.seed), \(TimeText.words(seconds: report.durationSeconds)), "
                + "\(report.target), exit code \(report.exitCode)")
    }

    private static func invariants(_ results: [InvariantResult], on page: inout TextPage) {
        page.heading("Invariants")
        let column = 6 + (results.map { TerminalText.width($0.name) }.max() ?? 0)
        for result in results {
            let (sign, meaning) = mark(result.verdict)
            page.entry(indent: 2, label: "\(sign) \(result.name)", meaning, column: column, result.summary)
        }
        if results.isEmpty { page.entry(indent: 2, label: "", nil, "none") }
    }

    private static func findings(_ results: [InvariantResult], on page: inout TextPage) {
        let all = results.flatMap { result in result.findings.map { (result.name, $0) } }
        if all.isEmpty { return }
        page.heading("Findings")
        for (number, (name, finding)) in all.enumerated() {
            page.entry(indent: 2, label: "\(number + 1). \(name):", .bad, finding.title)
            func fact(_ label: String, _ text: String) {
                page.entry(indent: 5, label: label, .faint, column: 14, text)
            }
            fact("expected", finding.expected)
            fact("seen", finding.seen)
            if let time = finding.time { fact("at", TimeText.words(nanoseconds: time)) }
            fact("fault", finding.activeFault)
            if let site = finding.site { fact("site", site) }
            if !finding.events.isEmpty {
                fact("events", finding.events.map(String.init).joined(separator: ", ") + " of history.jsonl")
            }
        }
    }

    private static func faults(_ records: [FaultRecord], on page: inout TextPage) {
        if records.isEmpty { return }
        page.heading("Faults")
        for record in records {
            let what = record.detail.hasPrefix(record.kind) ? record.detail : "\(record.kind) \(record.detail)"
            let healed = record.healedAtSeconds.map { "healed at \(TimeText.words(seconds: $0))" } ?? "never healed"
            let evidence = record.evidence.stringValue ?? record.evidence.compactText
            page.entry(
                indent: 2, label: record.landed ? "✓" : "✗", record.landed ? .good : .bad,
                "\(what): at \(TimeText.words(seconds: record.injectedAtSeconds)), \(healed), "
                    + "\(record.landed ? "landed" : "did not land"): \(evidence)")
        }
    }

    private static func workload(_ report: RunReport, on page: inout TextPage) {
        if report.workload.isEmpty { return }
        page.heading("Workload")
        page.table(
            header: ["kind", "ok", "fail", "info", "p50", "p99", "max"],
            rows: report.workload.map { operation in
                func latency(_ quantile: Double) -> String {
                    operation.latency.nanoseconds(atQuantile: quantile).map { TimeText.words(nanoseconds: $0) } ?? "-"
                }
                return [
                    operation.kind, "\(operation.ok)", "\(operation.fail)", "\(operation.info)", latency(0.5),
                    latency(0.99), latency(1),
                ]
            })
        for operation in report.workload where !operation.failures.isEmpty {
            let most = operation.failures.prefix(4).map { "\($0.name) ×\($0.count)" }
            let rest = operation.failures.dropFirst(4).reduce(0) { $0 + $1.count }
            page.entry(
                indent: 2, label: "\(operation.kind) failed:", .faint,
                most.joined(separator: ", ") + (rest > 0 ? ", others ×\(rest)" : ""))
        }
        if report.droppedOperations > 0 {
            page.entry(
                indent: 2, label: "dropped:", .doubt,
                "\(report.droppedOperations) scheduled operations were never started, because every client was busy")
        }
    }

    private static func recovery(_ records: [RecoveryRecord], on page: inout TextPage) {
        if records.isEmpty { return }
        page.heading("Recovery (after the heal)")
        func words(_ seconds: Double?) -> String { seconds.map { TimeText.words(seconds: $0) } ?? "-" }
        page.table(
            header: ["fault", "first ok", "full pool", "throughput", "p95", "lost"],
            rows: records.map { record in
                [
                    record.fault, words(record.firstOkSeconds), words(record.fullPoolSeconds),
                    words(record.baselineThroughputSeconds), words(record.baselineP95Seconds),
                    "\(record.lostOperations)",
                ]
            })
    }
}
