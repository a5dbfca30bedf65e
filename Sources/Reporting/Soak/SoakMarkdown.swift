import RigModel

/// The nightly report as Markdown: what was injected, what broke, what drifts. Pure.
package enum SoakMarkdown {
    private static let listedWindows = 40

    package static func render(_ log: SoakLog, nights: SoakNights? = nil) -> String {
        let verdict = SoakVerdict(log)
        let report = SoakReport.make(log)
        var lines = [
            "# Soak \(escape(log.scenario)): \(verdict.verdict.rawValue)", "",
            "\(escape(report.notes.first ?? "")); \(TimeText.words(seconds: log.elapsedSeconds)) of "
                + "\(TimeText.words(seconds: log.plannedSeconds)), seed \(log.seed), \(escape(log.target)), "
                + "exit code \(verdict.exitCode).", "",
        ]
        if !verdict.reasons.isEmpty { lines += verdict.reasons.map { "- **\(escape($0))**" } + [""] }
        lines += table(
            ["invariant", "verdict", "over the windows"],
            report.invariants.map { result in
                [result.name, result.verdict.rawValue, result.summary]
            })
        let findings = report.invariants.flatMap { result in result.findings.map { (result.name, $0) } }
        if !findings.isEmpty {
            lines += ["## What broke", ""]
            lines +=
                findings.map { name, finding in
                    "- **\(escape(name))**: \(escape(finding.title)) (\(escape(finding.seen)); fault: "
                        + "\(escape(finding.activeFault))\(finding.site.map { "; borrowed at \(escape($0))" } ?? ""))"
                } + [""]
        }
        if let nights { lines += nights.markdown }
        lines += ["## What was injected", ""]
        lines += table(
            ["fault", "injected", "landed"], verdict.faults.map { [$0.kind, "\($0.injected)", "\($0.landed)"] })
        lines += ["## Windows", ""] + windows(log.windows)
        if !log.notes.isEmpty { lines += ["## Notes", ""] + log.notes.map { "- \(escape($0))" } + [""] }
        return lines.joined(separator: "\n")
    }

    private static func windows(_ windows: [SoakWindow]) -> [String] {
        // Of a long night those that are not valid, and the last.
        let shown =
            windows.count <= listedWindows
            ? windows
            : windows.filter { window in
                window.verdict != .valid || window.number > windows.count - listedWindows / 2
            }.suffix(listedWindows)
        func number(_ value: Double?, _ unit: String) -> String {
            value.map { "\(($0 * 10).rounded() / 10) \(unit)" } ?? "–"
        }
        let rows = shown.map { window in
            [
                "\(window.number)", window.verdict.rawValue, window.faults.map(\.kind).joined(separator: ", "),
                number(window.numbers.okPerSecond, "/s"), number(window.numbers.p99Milliseconds, "ms"),
                number(window.numbers.residentBytes.map { $0 / 1_048_576 }, "MB"),
                number(window.slowestRecoverySeconds, "s"), "\(window.seed)",
            ]
        }
        let left = windows.count - shown.count
        return table(["window", "verdict", "faults", "steady", "p99", "memory", "recovery", "seed"], rows)
            + (left > 0 ? ["\(leftOut(windows, shown)) are left out here; soak.json has all.", ""] : [])
            + notes(shown)
    }

    private static func leftOut(_ windows: [SoakWindow], _ shown: [SoakWindow]) -> String {
        let numbers = Set(shown.map(\.number))
        let others = windows.filter { !numbers.contains($0.number) }
        let odd = others.count { $0.verdict != .valid }
        let counted = "\(others.count) window\(others.count == 1 ? "" : "s")"
        return odd == 0 ? counted : "\(counted), \(odd) of them not valid,"
    }

    /// Why windows are not valid, beside their findings.
    private static func notes(_ windows: [SoakWindow]) -> [String] {
        let lines = SoakReport.windowNotes(windows).map { "- window \($0.window): \(escape($0.note))" }
        return lines.isEmpty ? [] : lines + [""]
    }

    private static func table(_ head: [String], _ rows: [[String]]) -> [String] {
        func line(_ cells: [String]) -> String { "| " + cells.map(escape).joined(separator: " | ") + " |" }
        return [line(head), "|" + String(repeating: " --- |", count: head.count)] + rows.map(line) + [""]
    }

    /// Words of a server or a file must not become markup.
    private static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "|", "*", "_", "`", "<", ">", "[", "]", "\\": escaped += "\\\(character)"
            case "\n", "\r", "\r\n": escaped += " "
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
