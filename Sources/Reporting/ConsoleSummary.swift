package import RigModel

/// The end of a run on a terminal, readable in five seconds: the verdict and what broke, where it was seen, then each
/// invariant on a line, then the numbers; at the end, where the eye is when it has scrolled, the verdict again and what to do
/// next. Pure: the caller decides about width and colour.
package enum ConsoleSummary {
    /// - Parameters:
    ///   - reportPath: where the full report lies; `nil` when none was written.
    ///   - width: columns of the terminal; below 20 counts as 20.
    ///   - color: with ANSI colours.
    /// - Returns: lines, each ended by a line feed.
    package static func render(_ report: RunReport, reportPath: String?, width: Int, color: Bool) -> String {
        var page = TextPage(width: width, color: color)
        verdict(report, on: &page)
        page.entry(
            indent: 2, label: "", nil,
            "seed \(report.seed), \(TimeText.words(seconds: report.durationSeconds)), \(report.target), "
                + "exit code \(report.exitCode)")
        findings(report.invariants, on: &page)
        invariants(report.invariants, on: &page)
        faults(report.faults, on: &page)
        workload(report, on: &page)
        recovery(report.recovery, on: &page)
        if !report.notes.isEmpty {
            page.heading("Notes")
            for note in report.notes { page.entry(indent: 2, label: "!", .doubt, note) }
        }
        page.gap()
        if report.mark != .valid { verdict(report, on: &page) }
        if let reportPath { page.whole(label: "  report", reportPath) }
        page.whole(label: "  replay", report.replay)
        return page.text
    }

    /// `✗ INVALID db-restart: zero-leaked-connections violated, timeouts undecided`.
    private static func verdict(_ report: RunReport, on page: inout TextPage) {
        let (sign, meaning) = (report.mark.sign, Palette.Meaning(report.mark))
        func names(_ verdict: Verdict, _ word: String) -> [String] {
            let names = report.invariants.filter { $0.verdict == verdict }.map(\.name)
            return names.isEmpty ? [] : ["\(names.joined(separator: ", ")) \(word)"]
        }
        var reasons =
            (report.interruption.map { [$0] } ?? []) + names(.invalid, "violated") + names(.unknown, "undecided")
        if report.verdict == .valid {
            let count = report.invariants.count
            reasons = ["\(count) of \(count) invariants hold" + (report.doubt.map { ", \($0)" } ?? "")]
        }
        page.entry(
            indent: 0, label: "\(sign) \(report.verdict.rawValue.uppercased())", meaning,
            ([report.scenario] + (reasons.isEmpty ? [] : [reasons.joined(separator: "; ")])).joined(separator: ": "))
    }

    /// What did not hold first, and in full; what held on a line each.
    private static func invariants(_ results: [InvariantResult], on page: inout TextPage) {
        page.heading("Invariants")
        let column = 6 + (results.map { TerminalText.width($0.name) }.max() ?? 0)
        let order: [Verdict] = [.invalid, .unknown, .valid]
        for result in order.flatMap({ verdict in results.filter { $0.verdict == verdict } }) {
            let (sign, meaning) = (result.verdict.sign, Palette.Meaning(result.verdict))
            page.entry(
                indent: 2, label: "\(sign) \(result.name)", meaning, column: column, result.summary,
                isOneLine: result.verdict == .valid)
        }
        if results.isEmpty { page.entry(indent: 2, label: "", nil, "none") }
    }

    /// So many findings of one invariant are named; the first is shown in full.
    private static let findingLimit = 3

    private static func findings(_ results: [InvariantResult], on page: inout TextPage) {
        let broken = results.filter { !$0.findings.isEmpty }
        if broken.isEmpty { return }
        page.heading("What broke")
        var number = 0
        for result in broken {
            // As the page numbers them, which shows them all.
            let first = number + 1
            number += result.findings.count
            for (index, finding) in result.findings.prefix(findingLimit).enumerated() {
                let place = index == 0 ? "" : FindingPlace.words(finding)
                page.entry(
                    indent: 2, label: "\(first + index). \(result.name):", .bad,
                    finding.title + (place.isEmpty ? "" : " (\(place))"))
                if index == 0 { show(finding, on: &page) }
            }
            let rest = result.findings.count - findingLimit
            if rest > 0 {
                page.entry(indent: 5, label: "", nil, "and \(rest) more of \(result.name), in report.json")
            }
        }
    }

    private static func show(_ finding: Finding, on page: inout TextPage) {
        func fact(_ label: String, _ text: String) {
            page.entry(indent: 5, label: label, .faint, column: 14, text)
        }
        fact("expected", finding.expected)
        fact("seen", finding.seen)
        if let time = finding.time { fact("at", TimeText.words(nanoseconds: time)) }
        fact("fault", finding.activeFault)
        if let site = finding.site { fact("site", site) }
        if !finding.events.isEmpty {
            let events = finding.events.prefix(eventLimit).map(String.init).joined(separator: ", ")
            fact("events", events + (finding.events.count > eventLimit ? ", …" : "") + " of history.jsonl")
        }
    }

    private static let eventLimit = 8

    /// More faults than these are counted by kind.
    private static let faultLimit = 10

    private static func faults(_ records: [FaultRecord], on page: inout TextPage) {
        if records.isEmpty { return }
        page.heading("Faults")
        if records.count <= faultLimit {
            for record in records { show(record, on: &page) }
            return
        }
        for (kind, all) in byKind(records) {
            let landed = all.count(where: \.landed)
            page.entry(
                indent: 2, label: landed == all.count ? "✓" : "✗", landed == all.count ? .good : .bad,
                "\(kind): \(landed) of \(all.count) landed")
        }
        let missed = records.filter { !$0.landed }
        for record in missed.prefix(faultLimit) { show(record, on: &page) }
        more(missed.count - faultLimit, "that did not land", on: &page)
    }

    /// In the order of their first injection.
    private static func byKind(_ records: [FaultRecord]) -> [(kind: String, all: [FaultRecord])] {
        var kinds: [String] = []
        for record in records where !kinds.contains(record.kind) { kinds.append(record.kind) }
        let all = Dictionary(grouping: records, by: \.kind)
        return kinds.map { ($0, all[$0] ?? []) }
    }

    private static func show(_ record: FaultRecord, on page: inout TextPage) {
        let healed = record.healedAtSeconds.map { "healed at \(TimeText.words(seconds: $0))" } ?? "never healed"
        // The proof of a fault that landed is read in report.json; why one did not land is read here.
        page.entry(
            indent: 2, label: record.landed ? "✓" : "✗", record.landed ? .good : .bad,
            "\(record.words): at \(TimeText.words(seconds: record.injectedAtSeconds)), \(healed)"
                + (record.landed ? "" : ", did not land: \(EvidenceWords.reason(record.evidence))"))
    }

    private static func more(_ count: Int, _ what: String, on page: inout TextPage) {
        if count > 0 {
            page.entry(indent: 2, label: "", nil, "and \(count) more\(what.isEmpty ? "" : " \(what)"), in report.json")
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

    /// Where there are many: so many of the slowest.
    private static let slowestLimit = 5

    private static func recovery(_ records: [RecoveryRecord], on page: inout TextPage) {
        if records.isEmpty { return }
        page.heading("Recovery (after the heal)")
        func words(_ seconds: Double?) -> String { RecoverySection.words(seconds) }
        let shown = records.count <= faultLimit ? records : worst(of: records)
        page.table(
            header: ["fault", "first ok", "full pool", "throughput", "p95", "lost"],
            rows: shown.map { record in
                [
                    record.fault, words(record.firstOkSeconds), words(record.fullPoolSeconds),
                    words(record.baselineThroughputSeconds), words(record.baselineP95Seconds),
                    "\(record.lostOperations)",
                ]
            })
        let left = records.count - shown.count
        more(left, records.count(where: isNever) > faultLimit ? "" : "that were faster", on: &page)
    }

    private static func isNever(_ record: RecoveryRecord) -> Bool {
        record.firstOkSeconds == nil || record.baselineThroughputSeconds == nil
    }

    /// Those that never recovered, and the slowest of the others, in the order of the run.
    private static func worst(of records: [RecoveryRecord]) -> [RecoveryRecord] {
        func time(_ record: RecoveryRecord) -> Double {
            max(record.firstOkSeconds ?? 0, record.baselineThroughputSeconds ?? 0)
        }
        let never = records.indices.filter { isNever(records[$0]) }.prefix(faultLimit)
        let slowest = records.indices.filter { !isNever(records[$0]) }.sorted {
            (-time(records[$0]), $0) < (-time(records[$1]), $1)
        }.prefix(slowestLimit)
        return (never + slowest).sorted().map { records[$0] }
    }
}
