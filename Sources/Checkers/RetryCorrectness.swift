package import RigModel

/// What was acknowledged is there exactly once, what failed is not there, no money is lost, and no retry was a gamble.
///
/// | an append that ended in | must have |
/// |---|---|
/// | ok | exactly one row |
/// | fail | no row |
/// | info, or never | at most one row |
///
/// A row that nobody wrote, a sum of money that changed, a retry of something that may have happened, a retry inside an
/// open transaction, more attempts or pauses than configured: violations.
package struct RetryCorrectness: Checker {
    package static let shape = Shape(
        name: "retry-correctness",
        summary: "acknowledged writes are there exactly once, failed ones never; money is conserved; retries are safe")

    package static let explanation = Explanation(
        claims: """
            An append that ended in ok has exactly one row, one that failed none, and one whose end is unknown at most
            one. There is no row that nobody wrote, and the sum of money is what it was. Nothing was retried that may
            have happened, nor inside an open transaction, nor more often or after longer pauses than configured.
            """,
        needs: """
            An append or a transfer that succeeded, and the rows that were read at the end.
            """,
        cannotSee: """
            Rows that were right when they were read at the end and wrong before.
            """)

    private var faults = FaultWindows()
    private var ledger = AppendLedger()
    private var rows = FinalRows()
    private var money = MoneyBooks()
    private var retries = RetryRules()

    package init(_ parameters: Parameters) {}

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        ledger.observe(event)
        rows.observe(event)
        money.observe(event)
        retries.observe(event)
    }

    package mutating func merge(_ other: RetryCorrectness) {
        faults.merge(other.faults)
        ledger.merge(other.ledger)
        rows.merge(other.rows)
        money.merge(other.money)
        retries.merge(other.retries)
    }

    package func finish() -> InvariantResult {
        let appends = judgeAppends()
        var findings = Findings()
        findings.add(appends.lost.findings, total: appends.lost.total)
        findings.add(appends.doubled.findings, total: appends.doubled.total)
        findings.add(appends.undead.findings, total: appends.undead.total)
        findings.add(appends.strangers.findings, total: appends.strangers.total)
        findings.add(money.findings(faults))
        retries.report(to: &findings, faults)

        let reason = nothingToJudge
        let verdict: Verdict = findings.isEmpty ? (reason == nil ? .valid : .unknown) : .invalid
        return InvariantResult(
            name: Self.shape.name, verdict: verdict, summary: summary(findings, appends, reason),
            findings: findings.selection, measured: measured(appends))
    }

    // MARK: Judging

    /// The first few findings of a class, and how many there were.
    private struct Class {
        var findings: [Finding] = []
        var total = 0

        mutating func add(_ finding: @autoclosure () -> Finding) {
            total += 1
            if findings.count < InvariantResult.findingLimit { findings.append(finding()) }
        }
    }

    private struct Appends {
        var lost = Class()
        var doubled = Class()
        var undead = Class()
        var strangers = Class()
        /// Appends of unknown outcome that turned out to have happened.
        var recovered = 0
    }

    /// Compares the ledger with the rows. Lost rows can be told only when every part of the table was read.
    private func judgeAppends() -> Appends {
        var result = Appends()
        // In order, as they come: a set would need several times the memory.
        var present: [Int64] = []
        rows.forEachOperation { id, attempts, events in
            guard let entry = ledger[id], entry.wasInvoked else {
                result.strangers.add(
                    Finding(
                        title: "A row is there that nobody wrote",
                        expected: "every row belongs to an append of this run",
                        seen: "operation \(id.rawValue) has \(counted(attempts.count, "row")), and was never begun",
                        events: events, time: rows.readAt,
                        activeFault: "unknown: nobody knows when it was written (in the run: "
                            + "\(faults.words(from: 0, to: rows.readAt ?? 0)))"))
                return
            }
            if entry.outcome != .fail { present.append(id.rawValue) }
            if entry.outcome == .info { result.recovered += 1 }
            if entry.outcome == .fail {
                result.undead.add(
                    finding(
                        id, entry, events, title: "An append that failed is there",
                        expected: "what ended in fail has no row",
                        seen: "\(counted(attempts.count, "row")), written by \(Self.words(attempts))"))
            } else if attempts.count > 1 {
                result.doubled.add(
                    finding(
                        id, entry, events, title: "An append is there \(attempts.count) times",
                        expected: "exactly one row for what ended in \(entry.outcome.rawValue)",
                        seen: "\(attempts.count) rows, written by \(Self.words(attempts))"))
            }
        }
        guard rows.problem == nil else { return result }
        ledger.forEach { id, entry in
            guard entry.outcome == .ok, !Self.contains(present, id.rawValue) else { return }
            result.lost.add(
                finding(
                    id, entry, [], title: "An acknowledged append is lost",
                    expected: "exactly one row for what ended in ok", seen: "no row at the end"))
        }
        return result
    }

    private static func contains(_ sorted: [Int64], _ id: Int64) -> Bool {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low < sorted.count && sorted[low] == id
    }

    private func finding(
        _ id: OperationID, _ entry: AppendLedger.Entry, _ events: [Int], title: String, expected: String, seen: String
    ) -> Finding {
        let span = entry.span
        return Finding(
            title: title, expected: expected, seen: "operation \(id.rawValue): \(seen)", events: entry.events + events,
            time: span.from, activeFault: faults.words(from: span.from, to: span.to))
    }

    private var nothingToJudge: String? {
        if ledger.okCount == 0 && money.transfersOK == 0 { return "no append and no transfer ever succeeded" }
        if ledger.invokedCount > 0, let problem = rows.problem { return problem }
        return money.problem
    }

    // MARK: Words

    /// `attempts 1 and 2`; a row whose id has no attempt was written outside the retry policy.
    private static func words(_ attempts: [Int]) -> String {
        let names = attempts.map { $0 == 0 ? "an unnumbered attempt" : "attempt \($0)" }
        return names.joined(separator: " and ")
    }

    private func summary(_ findings: Findings, _ appends: Appends, _ reason: String?) -> String {
        let counts = "\(ledger.okCount) ok, \(ledger.failCount) fail, \(ledger.infoCount) info"
        if !findings.isEmpty {
            let classes = [
                (appends.lost.total, "lost"), (appends.doubled.total, "doubled"),
                (appends.undead.total, "failed but there"), (appends.strangers.total, "never written but there"),
            ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
            let head = classes.isEmpty ? "" : ": appends \(classes.joined(separator: ", "))"
            let doubts = retries.doubtWords.map { "; \($0)" } ?? ""
            return counted(findings.total, "violation") + head + " (appends \(counts))\(findings.remark)\(doubts)"
        }
        if let reason { return "not judged: \(reason)" }
        var parts: [String] = []
        if ledger.invokedCount > 0 {
            parts.append(
                "appends (\(counts)) are there exactly once, \(appends.recovered) of unknown outcome among them")
        }
        if money.transfersInvoked > 0, let after = money.after {
            parts.append("\(counted(money.transfersOK, "transfer")) kept the sum of \(after.total)")
        }
        parts.append("\(counted(retries.retriedCount, "operation")) retried, all within the rules")
        if let doubts = retries.doubtWords { parts.append(doubts) }
        return parts.joined(separator: "; ")
    }

    private func measured(_ appends: Appends) -> JSONValue {
        [
            "appends_ok": JSONValue(ledger.okCount), "appends_fail": JSONValue(ledger.failCount),
            "appends_info": JSONValue(ledger.infoCount), "rows": JSONValue(rows.count),
            "lost": JSONValue(appends.lost.total), "doubled": JSONValue(appends.doubled.total),
            "failed_but_there": JSONValue(appends.undead.total), "never_written": JSONValue(appends.strangers.total),
            "recovered_info": JSONValue(appends.recovered), "transfers_ok": JSONValue(money.transfersOK),
            "money_before": money.before.map { .int($0.total) } ?? .null,
            "money_after": money.after.map { .int($0.total) } ?? .null,
            "negative_accounts": money.after.map { .int($0.negative) } ?? .null,
            "retried": JSONValue(retries.retriedCount),
            "commits_in_doubt": .object(
                CommitDoubt.End.allCases.map { .init($0.rawValue, JSONValue(retries.doubts[$0] ?? 0)) }),
        ]
    }
}
