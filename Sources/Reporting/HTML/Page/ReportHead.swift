import RigModel

/// The verdict, and the few numbers that everybody asks for.
struct ReportHead: Sendable {
    private let report: RunReport

    init(_ report: RunReport) { self.report = report }

    var html: HTML {
        let summary: HTML = report.scenarioSummary.isEmpty ? "" : "<p class=\"summary\">\(report.scenarioSummary)</p>"
        let notes: HTML =
            report.notes.isEmpty
            ? "" : "<ul class=\"notes\" aria-label=\"Notes\">\(report.notes.map { "<li>\($0)</li>" as HTML })</ul>"
        return """
            <p class="brand">chaosrig report</p>
            <div class="title"><h1>\(report.scenario)</h1>\(Self.badge(report.verdict, marked: report.mark))</div>
            <p class="sentence">\(sentence)</p>
            \(summary)\(notes)<dl class="tiles">\(tiles)</dl>
            """
    }

    /// - Parameter marked: sign and colour; the verdict's own where there is nothing to say against it.
    static func badge(_ verdict: Verdict, marked: Verdict? = nil) -> HTML {
        let look = marked ?? verdict
        return
            "<span class=\"badge \(HTML(trusted: look.rawValue))\"><span aria-hidden=\"true\">\(HTML(trusted: look.sign))</span> \(verdict.rawValue)</span>"
    }

    private var sentence: String {
        let all = report.invariants.count
        func count(_ verdict: Verdict) -> Int { report.invariants.filter { $0.verdict == verdict }.count }
        func invariants(_ number: Int) -> String { number == 1 ? "1 invariant" : "\(number) invariants" }
        switch report.verdict {
        case .valid:
            let holds = all == 1 ? "The invariant holds" : "All \(all) invariants hold"
            return holds + (report.doubt.map { ", \($0)" } ?? "") + "."
        case .invalid where count(.invalid) > 0:
            let rest = count(.unknown) > 0 ? ", \(count(.unknown)) could not be judged" : ""
            return "\(count(.invalid)) of \(invariants(all)) violated\(rest)."
        case .unknown where count(.unknown) > 0: return "\(count(.unknown)) of \(invariants(all)) could not be judged."
        default: return "The invariants hold, but the run does not count: see the notes."
        }
    }

    private var tiles: HTML {
        let ok = report.workload.reduce(0) { $0 + $1.ok }
        let fail = report.workload.reduce(0) { $0 + $1.fail }
        let info = report.workload.reduce(0) { $0 + $1.info }
        var latency = LatencyHistogram()
        for operation in report.workload { latency.merge(operation.latency) }
        func quantile(_ share: Double) -> String {
            latency.nanoseconds(atQuantile: share).map { TimeText.words(nanoseconds: $0) } ?? "-"
        }
        let landed = report.faults.filter(\.landed).count
        var tiles: [(name: String, value: String, more: String)] = [
            (
                "operations", NumberText.count(ok + fail + info),
                "\(NumberText.count(ok)) ok, \(NumberText.count(fail)) fail, \(NumberText.count(info)) info"
            ),
            ("latency p99", quantile(0.99), "p50 \(quantile(0.5)), max \(quantile(1))"),
            (
                "faults landed", report.faults.isEmpty ? "none" : "\(landed) of \(report.faults.count)",
                report.faults.isEmpty ? "no fault was injected" : kinds
            ),
        ]
        if !report.recovery.isEmpty { tiles.append(recovery) }
        tiles.append(("duration", TimeText.words(seconds: report.durationSeconds), report.startedAt))
        return tiles.map { "<div><dt>\($0.name)</dt><dd>\($0.value)<small>\($0.more)</small></dd></div>" as HTML }
            .joined()
    }

    private var kinds: String {
        var names: [String] = []
        for fault in report.faults where !names.contains(fault.kind) { names.append(fault.kind) }
        return names.count <= 3 ? names.joined(separator: ", ") : "\(names.count) kinds"
    }

    /// The worst of all faults, until the last of what is known was back.
    private var recovery: (name: String, value: String, more: String) {
        let never = report.recovery.filter { $0.baselineThroughputSeconds == nil }.count
        let firsts = report.recovery.map(\.firstOkSeconds)
        let firstOK = RecoverySection.words(firsts.contains(nil) ? nil : firsts.compactMap { $0 }.max())
        if never > 0 {
            return (
                "faults recovered from", "\(report.recovery.count - never) of \(report.recovery.count)",
                "in throughput; first ok \(firstOK), at worst"
            )
        }
        let parts: [(name: String, seconds: KeyPath<RecoveryRecord, Double?>)] = [
            ("throughput", \.baselineThroughputSeconds), ("the first success", \.firstOkSeconds),
            ("the pool", \.fullPoolSeconds), ("p95", \.baselineP95Seconds),
        ]
        var worst = (name: parts[0].name, seconds: 0.0)
        for part in parts {
            for seconds in report.recovery.compactMap({ $0[keyPath: part.seconds] }) where seconds > worst.seconds {
                worst = (part.name, seconds)
            }
        }
        return (
            "recovery", RecoverySection.words(worst.seconds),
            "until \(worst.name) was back, at worst; first ok \(firstOK)"
        )
    }
}
