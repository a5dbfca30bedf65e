package import RigModel

/// Commands by which GitHub Actions shows something at a line of a file: `::error file=…,line=…::…`. Pure.
package enum WorkflowAnnotations {
    /// One for each invariant that is not valid, and one for a run that is not green for another reason.
    ///
    /// - Parameters:
    ///   - file: the scenario, as seen from the root of the checkout.
    ///   - scenario: its text, in which the line of an invariant is looked for.
    /// - Returns: lines without line feed.
    package static func lines(_ report: RunReport, file: String, scenario: String) -> [String] {
        var lines = report.invariants.filter { $0.verdict != .valid }.map { result in
            let words = result.verdict == .invalid ? "violated" : "could not be decided"
            return line(
                result.verdict == .invalid ? "error" : "warning", file: file,
                line: self.line(of: result.name, in: scenario),
                title: "\(report.scenario): \(result.name) \(words)", text(result, report))
        }
        if lines.isEmpty, report.verdict != .valid || report.exitCode != 0 {
            lines.append(
                line(
                    "error", file: file, line: 1, title: "\(report.scenario): \(report.verdict.rawValue)",
                    (report.notes + ["replay: \(report.replay)"]).joined(separator: "\n")))
        }
        return lines
    }

    /// For a scenario that could not run.
    ///
    /// - Parameter line: from 1; the first one for the file as a whole.
    package static func failure(_ reason: String, of scenario: String, file: String, line: Int = 1) -> String {
        self.line("error", file: file, line: line, title: "\(scenario) did not run", reason)
    }

    /// A file's path from the root of the checkout; the whole path where it lies elsewhere.
    ///
    /// - Parameters:
    ///   - folder: where a relative path begins; absolute.
    ///   - checkout: absolute; `nil`: `folder`.
    package static func path(of file: String, in folder: String, checkout: String?) -> String {
        let path = components(file.hasPrefix("/") ? file : "\(folder)/\(file)")
        let root = components(checkout ?? folder)
        guard path.count > root.count, path.starts(with: root) else { return "/" + path.joined(separator: "/") }
        return path.dropFirst(root.count).joined(separator: "/")
    }

    private static func components(_ path: String) -> [Substring] {
        path.split(separator: "/").reduce(into: []) { parts, part in
            if part == ".." {
                _ = parts.popLast()
            } else if part != "." {
                parts.append(part)
            }
        }
    }

    private static func text(_ result: InvariantResult, _ report: RunReport) -> String {
        var lines = [result.summary]
        for finding in result.findings.prefix(3) {
            let place = FindingPlace.words(finding)
            lines.append(
                "\(finding.title): expected \(finding.expected), seen \(finding.seen)"
                    + (place.isEmpty ? "" : " (\(place))"))
        }
        if result.findings.count > 3 { lines.append("and \(result.findings.count - 3) more findings") }
        return (lines + ["replay: \(report.replay)"]).joined(separator: "\n")
    }

    /// Where the invariant stands in the file, counted from 1; the first line where it does not.
    private static func line(of invariant: String, in scenario: String) -> Int {
        let lines = scenario.split(separator: "\n", omittingEmptySubsequences: false)
        let begin = lines.firstIndex { $0.hasPrefix("invariants:") } ?? lines.startIndex
        let found = lines[begin...].firstIndex { line in
            let key = line.drop { $0 == " " || $0 == "{" }
            return key.hasPrefix("\(invariant):")
        }
        return (found ?? (begin < lines.endIndex && begin > 0 ? begin : 0)) + 1
    }

    private static func line(_ command: String, file: String, line: Int, title: String, _ text: String) -> String {
        "::\(command) file=\(property(file)),line=\(line),title=\(property(title))::\(data(text))"
    }

    private static func data(_ text: String) -> String { escaped(text, ["%", "\r", "\n"]) }

    private static func property(_ text: String) -> String { escaped(text, ["%", "\r", "\n", ":", ","]) }

    /// By scalars: a sign with an accent on it is another character, and the same sign to the runner.
    private static func escaped(_ text: String, _ special: Set<Unicode.Scalar>) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard special.contains(scalar) else {
                // The log is shown on terminals, too.
                result.append(contentsOf: TerminalText.clean(String(scalar)).unicodeScalars)
                continue
            }
            // Each of them is ASCII beyond 0x0F or a line's end: two digits.
            let digits = String(scalar.value, radix: 16, uppercase: true)
            result.append(contentsOf: "%\(digits.count < 2 ? "0" : "")\(digits)".unicodeScalars)
        }
        return String(result)
    }
}
