package import RigModel

/// JUnit XML as CI services read it: a suite per scenario, a case per invariant, and two for what a verdict rests on.
package enum JUnit {
    package static func encode(_ reports: [RunReport]) -> String {
        let suites = reports.map(suite).joined(separator: "\n")
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"chaosrig\">\n\(suites)\n</testsuites>\n"
    }

    private static func suite(_ report: RunReport) -> String {
        let cases = report.invariants.map { invariantCase($0, report) } + [faultsCase(report), operationsCase(report)]
        let failures = cases.count { $0.contains("<failure") }
        let errors = cases.count { $0.contains("<error") }
        return """
              <testsuite name="\(escaped(report.scenario))" tests="\(cases.count)" failures="\(failures)" errors="\(errors)" \
            time="\(report.durationSeconds)" timestamp="\(escaped(report.startedAt))">
            \(cases.joined(separator: "\n"))
                <system-out>\(escaped((report.notes + ["replay: \(report.replay)"]).joined(separator: "\n")))</system-out>
              </testsuite>
            """
    }

    private static func invariantCase(_ result: InvariantResult, _ report: RunReport) -> String {
        let body: String? =
            switch result.verdict {
            case .valid: nil
            case .unknown: problem("error", result.summary, result.summary)
            case .invalid: problem("failure", result.summary, result.findings.map(FindingText.lines).joined(separator: "\n\n"))
            }
        return testCase(result.name, report, body)
    }

    private static func faultsCase(_ report: RunReport) -> String {
        let missed = report.faults.filter { !$0.landed }
        let text = missed.map { "\($0.kind) (\($0.detail)): \($0.evidence.compactText)" }.joined(separator: "\n")
        return testCase(
            "every fault landed", report, missed.isEmpty ? nil : problem("error", "\(missed.count) did not land", text))
    }

    private static func operationsCase(_ report: RunReport) -> String {
        let never = report.workload.filter { $0.ok == 0 }.map(\.kind).joined(separator: ", ")
        return testCase(
            "every operation kind succeeded", report, never.isEmpty ? nil : problem("error", "never ok: \(never)", never))
    }

    private static func testCase(_ name: String, _ report: RunReport, _ body: String?) -> String {
        let head = "    <testcase classname=\"chaosrig.\(escaped(report.scenario))\" name=\"\(escaped(name))\""
        guard let body else { return head + "/>" }
        return "\(head)>\n\(body)\n    </testcase>"
    }

    private static func problem(_ element: String, _ message: String, _ text: String) -> String {
        "      <\(element) message=\"\(escaped(message))\">\(escaped(text))</\(element)>"
    }

    /// XML 1.0 has no place for most control characters, not even escaped.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF: result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// A finding in words.
enum FindingText {
    static func lines(_ finding: Finding) -> String {
        var lines = [finding.title, "  expected: \(finding.expected)", "  seen:     \(finding.seen)"]
        let time = finding.time.map { " at \(($0 / 1_000_000).formattedAsSeconds)" } ?? ""
        lines.append("  fault:    \(finding.activeFault)\(time)")
        if let site = finding.site { lines.append("  borrowed: \(site)") }
        if !finding.events.isEmpty {
            lines.append("  events:   \(finding.events.prefix(10).map { "\($0)" }.joined(separator: ", ")) in history.jsonl")
        }
        return lines.joined(separator: "\n")
    }
}

extension Int64 {
    /// Milliseconds as `12.345 s`.
    fileprivate var formattedAsSeconds: String { "\(Double(self) / 1e3) s" }
}
