package import RigModel

/// A run in Markdown, for the page of a CI job. Pure.
package enum MarkdownSummary {
    /// A page holds a megabyte; so many findings of one invariant say enough.
    private static let findingLimit = 20

    package static func render(_ report: RunReport) -> String {
        var lines = [
            "## \(mark(report.mark)) \(text(report.scenario)): \(report.verdict.rawValue)"
                + (report.doubt.map { ", \($0)" } ?? ""), "",
            "Seed \(report.seed), \(TimeText.words(seconds: report.durationSeconds)), \(text(report.target)), "
                + "exit code \(report.exitCode)", "",
        ]
        if !report.notes.isEmpty { lines += report.notes.map { "- \(text($0))" } + [""] }
        lines += ["| | invariant | |", "|---|---|---|"]
        lines += report.invariants.map { "| \(mark($0.verdict)) | \(text($0.name)) | \(text($0.summary)) |" }
        for result in report.invariants where !result.findings.isEmpty { lines += findings(result) }
        lines += faults(report.faults) + workload(report.workload)
        lines += ["", "Replay:", "", "```sh", report.replay.replacing("```", with: "'''"), "```", ""]
        return lines.joined(separator: "\n")
    }

    /// For a scenario that could not run.
    package static func failure(_ reason: String, of scenario: String) -> String {
        "## ❌ \(text(scenario)) did not run\n\n\(text(reason))\n"
    }

    private static func mark(_ verdict: Verdict) -> String {
        switch verdict {
        case .valid: "✅"
        case .unknown: "❔"
        case .invalid: "❌"
        }
    }

    private static func findings(_ result: InvariantResult) -> [String] {
        var lines = ["", "### \(text(result.name)): \(result.findings.count) found", ""]
        for finding in result.findings.prefix(findingLimit) {
            let place = FindingPlace.words(finding)
            lines.append("- **\(text(finding.title))**" + (place.isEmpty ? "" : " (\(text(place)))"))
            lines.append("  - expected: \(text(finding.expected))")
            lines.append("  - seen: \(text(finding.seen))")
        }
        let rest = result.findings.count - findingLimit
        return lines + (rest > 0 ? ["- and \(rest) more in report.json"] : [])
    }

    private static func faults(_ faults: [FaultRecord]) -> [String] {
        guard !faults.isEmpty else { return [] }
        let missed = faults.filter { !$0.landed }
        var lines = ["", "\(faults.count - missed.count) of \(faults.count) faults landed."]
        if !missed.isEmpty { lines += [""] + missed.map { "- did not land: \(text($0.words))" } }
        return lines
    }

    private static func workload(_ operations: [OperationSummary]) -> [String] {
        guard !operations.isEmpty else { return [] }
        return ["", "| operation | ok | fail | info | p50 | p99 | max |", "|---|--:|--:|--:|--:|--:|--:|"]
            + operations.map { operation in
                let latency = [0.5, 0.99, 1].map {
                    operation.latency.nanoseconds(atQuantile: $0).map { TimeText.words(nanoseconds: $0) } ?? "-"
                }
                return "| \(text(operation.kind)) | \(operation.ok) | \(operation.fail) | \(operation.info) | "
                    + latency.joined(separator: " | ") + " |"
            }
    }

    /// Text that Markdown and HTML show as it is, on one line: messages come from servers.
    private static func text(_ text: String) -> String {
        var result = ""
        // Not by characters: one with an accent on it is another character, and the same sign to Markdown.
        for scalar in TerminalText.clean(text).unicodeScalars {
            switch scalar {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "@": result += "&#64;"
            case "\\", "`", "*", "_", "|", "[", "]", "#", "~": result += "\\\(scalar)"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
