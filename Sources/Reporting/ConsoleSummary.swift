package import RigModel

/// What a person reads at the end of a run. Pure.
package enum ConsoleSummary {
    /// - Parameters:
    ///   - reportPath: shown at the end.
    ///   - width: lines are cut there.
    ///   - color: with ANSI colours.
    package static func render(_ report: RunReport, reportPath: String, width: Int, color: Bool) -> String {
        let paint = Paint(isOn: color)
        var lines = [headline(report, paint), ""]
        let nameWidth = report.invariants.map(\.name.count).max() ?? 0
        for result in report.invariants {
            lines.append("  \(paint.mark(result.verdict)) \(pad(result.name, nameWidth))  \(result.summary)")
            for finding in result.findings.prefix(3) {
                lines += FindingText.lines(finding).split(separator: "\n").map { "      \($0)" }
            }
            if result.findings.count > 3 { lines.append("      … and \(result.findings.count - 3) more in report.json") }
        }
        lines += [""] + faults(report, paint) + workload(report) + recovery(report)
        lines += report.notes.map { "  note: \($0)" }
        if !report.notes.isEmpty { lines.append("") }
        lines.append("  report  \(reportPath)")
        lines.append("  replay  \(report.replay)")
        return lines.map { cut($0, width) }.joined(separator: "\n")
    }

    private static func headline(_ report: RunReport, _ paint: Paint) -> String {
        let took = "\((report.durationSeconds * 10).rounded() / 10) s"
        return "\(paint.verdict(report.verdict)) \(report.scenario) on \(report.target), \(took), seed \(report.seed)"
    }

    private static func faults(_ report: RunReport, _ paint: Paint) -> [String] {
        guard !report.faults.isEmpty else { return [] }
        return report.faults.map { fault in
            let healed = fault.healedAtSeconds.map { ", healed at \(text($0)) s" } ?? ", not healed"
            let proof = fault.landed ? "landed" : "did not land: \(fault.evidence.compactText)"
            return "  \(paint.mark(fault.landed ? .valid : .unknown)) \(fault.kind) (\(fault.detail)) at "
                + "\(text(fault.injectedAtSeconds)) s\(healed): \(proof)"
        } + [""]
    }

    private static func workload(_ report: RunReport) -> [String] {
        var rows = [["operation", "ok", "fail", "info", "p50 ms", "p99 ms", "max ms"]]
        for operation in report.workload {
            let times = [0.5, 0.99, 1].map { quantile in
                operation.latency.nanoseconds(atQuantile: quantile).map { text(Double($0) / 1e6) } ?? "-"
            }
            rows.append([operation.kind, "\(operation.ok)", "\(operation.fail)", "\(operation.info)"] + times)
        }
        var lines = table(rows)
        if report.droppedOperations > 0 {
            lines.append("  \(report.droppedOperations) operations were due but dropped: every client was busy too long")
        }
        return lines + [""]
    }

    private static func recovery(_ report: RunReport) -> [String] {
        guard !report.recovery.isEmpty else { return [] }
        func time(_ value: Double?) -> String { value.map { "\(text($0)) s" } ?? "never" }
        let rows = report.recovery.map {
            [
                $0.fault, time($0.firstOkSeconds), time($0.fullPoolSeconds), time($0.baselineThroughputSeconds),
                time($0.baselineP95Seconds), "\($0.lostOperations)",
            ]
        }
        return table([["recovered from", "first ok", "full pool", "throughput", "p95", "lost"]] + rows) + [""]
    }

    private static func table(_ rows: [[String]]) -> [String] {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            "  " + row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }.joined(separator: "  ")
        }
    }

    private static func text(_ value: Double) -> String {
        let digits = value >= 100 ? 1.0 : value >= 1 ? 100.0 : 1000.0
        return "\((value * digits).rounded() / digits)"
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// Long lines are cut, not wrapped; escape sequences take no room.
    private static func cut(_ line: String, _ width: Int) -> String {
        guard !line.contains("\u{1B}"), line.count > width, width > 10 else { return line }
        return line.prefix(width - 1) + "…"
    }
}

/// ANSI colours, or none.
struct Paint {
    let isOn: Bool

    func mark(_ verdict: Verdict) -> String {
        switch verdict {
        case .valid: green("✓")
        case .invalid: red("✗")
        case .unknown: yellow("?")
        }
    }

    func verdict(_ verdict: Verdict) -> String {
        switch verdict {
        case .valid: green("✓ VALID")
        case .invalid: red("✗ INVALID")
        case .unknown: yellow("? INCONCLUSIVE")
        }
    }

    func green(_ text: String) -> String { wrap(text, "32") }
    func red(_ text: String) -> String { wrap(text, "31") }
    func yellow(_ text: String) -> String { wrap(text, "33") }

    private func wrap(_ text: String, _ code: String) -> String { isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}
