package import RigModel

/// A soak as one run, for everything that shows or stores runs: console, JUnit, the results database. Pure.
package enum SoakReport {
    /// Soaks and runs of the same scenario are not compared with each other.
    package static func name(of scenario: String) -> String { "\(scenario) (soak)" }

    package static func make(_ log: SoakLog) -> RunReport {
        let verdict = SoakVerdict(log)
        return RunReport(
            scenario: name(of: log.scenario), scenarioSummary: log.scenarioSummary, seed: log.seed,
            verdict: verdict.verdict, exitCode: Int(verdict.exitCode), notes: notes(log, verdict),
            startedAt: log.startedAt, durationSeconds: log.elapsedSeconds, environment: log.environment,
            target: log.target, faults: verdict.faults.map(fault),
            invariants: verdict.invariants.map { invariant($0, log.windows) } + [drift(log, verdict)],
            workload: [], droppedOperations: 0, pool: [], recovery: recovery(log), replay: log.replay,
            resources: numbers(log))
    }

    private static func notes(_ log: SoakLog, _ verdict: SoakVerdict) -> [String] {
        [extent(log, verdict)] + verdict.reasons + log.notes + log.leftovers.map { "left behind: \($0)" }
    }

    /// How much was done, in one line.
    static func extent(_ log: SoakLog, _ verdict: SoakVerdict) -> String {
        let count = log.windows.count
        let operations = log.windows.reduce(0) { $0 + $1.numbers.ok + $1.numbers.failed + $1.numbers.inDoubt }
        let segments = Set(log.windows.map(\.segment)).count
        return "\(count) window\(count == 1 ? "" : "s") in \(segments) segment\(segments == 1 ? "" : "s"), "
            + "\(operations) operations, \(verdict.faults.reduce(0) { $0 + $1.injected }) faults of "
            + "\(verdict.faults.count) kinds; \(size(log.keptBytes)) of \(size(log.historyBytes)) of history kept"
    }

    /// Of the windows that are not valid, in order.
    static func windowNotes(_ windows: [SoakWindow]) -> [(window: Int, note: String)] {
        windows.filter { $0.verdict != .valid }.flatMap { window in window.notes.map { (window.number, $0) } }
    }

    private static func fault(_ kind: SoakVerdict.Kind) -> FaultRecord {
        FaultRecord(
            kind: kind.kind, detail: "landed \(kind.landed) of \(kind.injected) times", injectedAtSeconds: 0,
            healedAtSeconds: nil, landed: kind.landed > 0,
            evidence: ["injected": JSONValue(kind.injected), "landed": JSONValue(kind.landed)])
    }

    private static func invariant(_ judged: SoakWindow.Judged, _ windows: [SoakWindow]) -> InvariantResult {
        func count(_ verdict: Verdict) -> [SoakWindow] {
            windows.filter { $0.invariants.contains(SoakWindow.Judged(name: judged.name, verdict: verdict)) }
        }
        let (valid, unknown, red) = (count(.valid), count(.unknown), count(.invalid))
        let findings = red.flatMap { window in
            window.findings.filter { $0.invariant == judged.name }.map { found in
                Finding(
                    title: found.title, expected: "see \(SoakWindow.folder(window.number))/report.json",
                    seen: "in window \(window.number), seed \(window.seed)", activeFault: found.activeFault,
                    site: found.site)
            }
        }
        var parts = ["valid in \(valid.count) of \(windows.count) windows"]
        if !red.isEmpty { parts.append("violated in \(SoakVerdict.windowWords(red.map(\.number)))") }
        if !unknown.isEmpty { parts.append("nothing to judge in \(SoakVerdict.windowWords(unknown.map(\.number)))") }
        return InvariantResult(
            name: judged.name, verdict: judged.verdict, summary: parts.joined(separator: "; "),
            findings: Array(findings.prefix(InvariantResult.findingLimit)),
            measured: [
                "valid": JSONValue(valid.count), "unknown": JSONValue(unknown.count), "invalid": JSONValue(red.count),
            ])
    }

    /// The invariant of the whole soak.
    private static let noDrift = "no-drift"

    /// Nothing was judged, and that alone counts for nothing: a short soak says nothing about a slope.
    static func isOnlyTooShort(_ result: InvariantResult) -> Bool {
        result.name == noDrift && result.verdict == .unknown
    }

    /// So many windows the longest segment has.
    static func longestRow(_ log: SoakLog) -> Int {
        Dictionary(grouping: log.windows, by: \.segment).values.map(\.count).max() ?? 0
    }

    /// Memory, descriptors, sessions and p99 from window to window, as an invariant.
    private static func drift(_ log: SoakLog, _ verdict: SoakVerdict) -> InvariantResult {
        let longest = longestRow(log)
        let isJudged = longest > SoakDrift.fewest
        let findings = verdict.drift.map { drift in
            Finding(
                title: drift.words, expected: "no steady growth from window to window",
                seen: "\(SoakDrift.words(drift.from, drift.quantity)) at first, "
                    + "\(SoakDrift.words(drift.to, drift.quantity)) in the end")
        }
        let summary =
            !findings.isEmpty
            ? "\(findings.count) of \(SoakDrift.Quantity.allCases.count) quantities grew steadily"
            : isJudged
                ? "memory, descriptors, server sessions and p99 stayed level"
                : "too few windows in a row for a slope (\(longest); it takes \(SoakDrift.fewest + 1))"
        return InvariantResult(
            name: noDrift, verdict: !findings.isEmpty ? .invalid : isJudged ? .valid : .unknown, summary: summary,
            findings: findings, measured: ["windows": JSONValue(longest)])
    }

    /// Medians over the windows, so that a long night can be compared with a short one.
    private static func numbers(_ log: SoakLog) -> [JSONValue.Member] {
        func median(_ value: (WindowNumbers.Result) -> Double?) -> JSONValue {
            JSONValue(RobustStatistics.median(log.windows.compactMap { value($0.numbers) }))
        }
        return [
            .init(FiledRun.soakWindows, JSONValue(log.windows.count)),
            .init("steady_ok_per_s", median(\.okPerSecond)), .init("window_p50_ms", median(\.p50Milliseconds)),
            .init("window_p99_ms", median(\.p99Milliseconds)), .init("window_rss_bytes", median(\.residentBytes)),
            .init("window_descriptors", median(\.descriptors)),
            .init("window_server_sessions", median(\.serverSessions)),
            .init(
                "lost_per_1000_operations",
                median { numbers in
                    let lost = Double(numbers.failed + numbers.inDoubt)
                    let all = lost + Double(numbers.ok)
                    return all > 0 ? lost / all * 1000 : nil
                }),
        ]
    }

    private static func recovery(_ log: SoakLog) -> [RecoveryRecord] {
        let slowest = log.windows.compactMap(\.slowestRecoverySeconds)
        guard let median = RobustStatistics.median(slowest) else { return [] }
        let lost = log.windows.map { Double($0.numbers.failed + $0.numbers.inDoubt) }
        return [
            RecoveryRecord(
                fault: "slowest of a window, median", firstOkSeconds: nil, fullPoolSeconds: median,
                baselineThroughputSeconds: nil, baselineP95Seconds: nil,
                lostOperations: RobustStatistics.median(lost).map { Int($0.rounded()) } ?? 0)
        ]
    }

    package static func size(_ bytes: Int) -> String {
        bytes < 10 << 20 ? "\(bytes >> 10) kB" : "\(bytes >> 20) MB"
    }
}
