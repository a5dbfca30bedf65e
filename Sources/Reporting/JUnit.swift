package import RigModel

/// JUnit XML, as continuous integration reads it: one suite for each run, one case for each invariant, and one each for
/// the conditions without which a green invariant proves nothing. A violation is a `failure`; what could not be decided
/// is an `error`, but for what a short soak cannot tell, which is `skipped`.
package enum JUnit {
    /// What became of one scenario.
    package enum Run: Sendable {
        case judged(RunReport)
        /// It could not run at all.
        case failed(scenario: String, reason: String)
        /// It was not its turn: another one ended all.
        case skipped(scenario: String)
    }

    package static func encode(_ reports: [RunReport]) -> String { encode(runs: reports.map { .judged($0) }) }

    /// - Returns: a whole XML document. It shows a run as passed only when its verdict is valid and its exit code 0.
    package static func encode(runs: [Run]) -> String {
        let suites = runs.map { Suite($0) }
        let totals = attributes(
            tests: suites.reduce(0) { $0 + $1.cases.count }, failures: suites.reduce(0) { $0 + $1.failures },
            errors: suites.reduce(0) { $0 + $1.errors })
        let time = seconds(suites.reduce(0) { $0 + ($1.report?.durationSeconds ?? 0) })
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="chaosrig"\(totals) time="\(time)">
            \(suites.map(\.xml).joined(separator: "\n"))
            </testsuites>

            """
    }

    private enum Outcome {
        case passed(String), failure(message: String, text: String), error(message: String, text: String)
        case skipped(String)

        /// It says something against the run.
        var isBad: Bool {
            switch self {
            case .passed, .skipped: false
            case .failure, .error: true
            }
        }
    }

    private struct Case {
        var name: String
        var outcome: Outcome
    }

    private struct Suite {
        let name: String
        /// `nil`: it did not run.
        let report: RunReport?
        let cases: [Case]

        init(_ run: Run) {
            switch run {
            case .judged(let report):
                name = report.scenario
                self.report = report
                let cases =
                    report.invariants.map(JUnit.testCase(for:))
                    + [JUnit.landedCase(report.faults), JUnit.succeededCase(report.workload)]
                self.cases = cases + [JUnit.runCase(report, others: cases)]
            case .failed(let scenario, let reason):
                name = scenario
                report = nil
                cases = [Case(name: "the run as a whole", outcome: .error(message: "did not run", text: reason))]
            case .skipped(let scenario):
                name = scenario
                report = nil
                cases = [Case(name: "the run as a whole", outcome: .skipped("not run"))]
            }
        }

        var failures: Int { cases.count { if case .failure = $0.outcome { true } else { false } } }
        var errors: Int { cases.count { if case .error = $0.outcome { true } else { false } } }
        private var skipped: Int { cases.count { if case .skipped = $0.outcome { true } else { false } } }

        var xml: String {
            let name = XMLText.attribute(name)
            let totals = JUnit.attributes(tests: cases.count, failures: failures, errors: errors)
            let time = JUnit.seconds(report?.durationSeconds ?? 0)
            let timestamp = report.map { " timestamp=\"\(XMLText.attribute($0.startedAt))\"" } ?? ""
            var lines = ["  <testsuite name=\"\(name)\"\(totals) skipped=\"\(skipped)\" time=\"\(time)\"\(timestamp)>"]
            lines += report.map(properties) ?? []
            lines += cases.map { JUnit.xml($0, className: "chaosrig." + name) }
            lines.append("  </testsuite>")
            return lines.joined(separator: "\n")
        }

        private func properties(_ report: RunReport) -> [String] {
            let properties =
                [("seed", "\(report.seed)"), ("target", report.target), ("replay", report.replay)]
                + report.environment.known.map { ($0.key, $0.value.stringValue ?? $0.value.compactText) }
            return ["    <properties>"]
                + properties.map { key, value in
                    "      <property name=\"\(XMLText.attribute(key))\" value=\"\(XMLText.attribute(value))\"/>"
                } + ["    </properties>"]
        }
    }

    // MARK: Cases

    private static func testCase(for result: InvariantResult) -> Case {
        let outcome: Outcome =
            switch result.verdict {
            case .valid: .passed(result.summary)
            case .invalid:
                .failure(
                    message: result.summary,
                    text: result.findings.enumerated().map { text(of: $1, number: $0 + 1) }.joined(separator: "\n"))
            case .unknown where SoakReport.isOnlyTooShort(result): .skipped(result.summary)
            case .unknown: .error(message: result.summary, text: result.summary)
            }
        return Case(name: result.name, outcome: outcome)
    }

    private static func landedCase(_ faults: [FaultRecord]) -> Case {
        let missed = faults.filter { !$0.landed }.map { fault in
            "\(fault.words): \(EvidenceWords.reason(fault.evidence))"
        }
        return Case(
            name: "every fault landed",
            outcome: missed.isEmpty
                ? .passed("\(faults.count) of \(faults.count) landed")
                : .error(
                    message: "\(missed.count) of \(faults.count) did not land", text: missed.joined(separator: "\n")))
    }

    private static func succeededCase(_ workload: [OperationSummary]) -> Case {
        let never = workload.filter { $0.ok == 0 }.map { "\($0.kind): \($0.fail) fail, \($0.info) info" }
        return Case(
            name: "every operation kind succeeded",
            outcome: never.isEmpty
                ? .passed(workload.map { "\($0.kind): \($0.ok) ok" }.joined(separator: "\n"))
                : .error(
                    message: "\(never.count) of \(workload.count) kinds never succeeded",
                    text: never.joined(separator: "\n")))
    }

    /// What no other case says: interrupted, leftovers, a fault that was never injected.
    private static func runCase(_ report: RunReport, others: [Case]) -> Case {
        // Other cases stand for the exit codes of a verdict, and for no other: leftovers and interrupts are told here.
        let isExplained =
            switch report.exitCode {
            case 1: others.contains { if case .failure = $0.outcome { true } else { false } }
            case 4: others.contains { $0.outcome.isBad }
            default: false
            }
        let notes = report.notes.joined(separator: "\n")
        let isGreen = report.verdict == .valid && report.exitCode == 0
        return Case(
            name: "the run as a whole",
            outcome: isGreen || isExplained
                ? .passed(notes)
                : .error(message: "verdict \(report.verdict.rawValue), exit code \(report.exitCode)", text: notes))
    }

    private static func text(of finding: Finding, number: Int) -> String {
        var lines = [
            "\(number). \(finding.title)", "   expected: \(finding.expected)", "   seen: \(finding.seen)",
            "   fault: \(finding.activeFault)",
        ]
        if let time = finding.time { lines.append("   at: \(TimeText.words(nanoseconds: time))") }
        if let site = finding.site { lines.append("   site: \(site)") }
        if !finding.events.isEmpty {
            lines.append("   events: \(finding.events.map(String.init).joined(separator: ", "))")
        }
        return lines.joined(separator: "\n")
    }

    // MARK: XML

    private static func xml(_ item: Case, className: String) -> String {
        let begin = "    <testcase classname=\"\(className)\" name=\"\(XMLText.attribute(item.name))\" time=\"0\">"
        func element(_ name: String, _ message: String, _ text: String) -> String {
            "      <\(name) message=\"\(XMLText.attribute(message))\" type=\"\(name)\">"
                + "\(XMLText.content(text))</\(name)>"
        }
        let body =
            switch item.outcome {
            case .passed(let text): "      <system-out>\(XMLText.content(text))</system-out>"
            case .skipped(let message): "      <skipped message=\"\(XMLText.attribute(message))\"/>"
            case .failure(let message, let text): element("failure", message, text)
            case .error(let message, let text): element("error", message, text)
            }
        return [begin, body, "    </testcase>"].joined(separator: "\n")
    }

    private static func attributes(tests: Int, failures: Int, errors: Int) -> String {
        " tests=\"\(tests)\" failures=\"\(failures)\" errors=\"\(errors)\""
    }

    /// Three decimals, never an exponent.
    private static func seconds(_ seconds: Double) -> String {
        let milliseconds = Int64((max(0, min(seconds, 1e12)) * 1000).rounded())
        return "\(milliseconds / 1000)."
            + TerminalText.padLeft("\(milliseconds % 1000)", 3).map {
                $0 == " " ? "0" : String($0)
            }.joined()
    }
}
