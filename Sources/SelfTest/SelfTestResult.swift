package import RigModel
import Threading

/// What the self-test came to.
package struct SelfTestResult: Sendable {
    package var untouched: [TrialResult]
    package var defects: [TrialResult]
    /// Everything was run.
    package var isWhole: Bool

    package init(untouched: [TrialResult], defects: [TrialResult], isWhole: Bool) {
        self.untouched = untouched
        self.defects = defects
        self.isWhole = isWhole
    }

    package var caught: Int { defects.count { $0.end == .good } }

    /// Every defect was caught, and the untouched pool is green.
    package var isGood: Bool { isWhole && (untouched + defects).allSatisfy { $0.end == .good } }

    /// 0 good; 1 a defect was missed, or the untouched pool is red; 4 something could not be judged.
    package var exitCode: Int32 {
        if isGood { return 0 }
        return (untouched + defects).contains { $0.end == .bad || $0.end == .failed } ? 1 : 4
    }

    package var json: JSONValue {
        [
            "defects": .array(
                defects.map { result in
                    [
                        "name": .string(result.name), "invariant": JSONValue(result.invariant),
                        "scenario": .string(result.scenario), "caught": .bool(result.end == .good),
                        "seconds": Self.rounded(result.secondsToDetection), "end": .string(Self.word(result.end)),
                        "took_s": Self.rounded(result.took.seconds), "red": .array(result.red.map(JSONValue.string)),
                        "words": .string(result.words),
                    ]
                }),
            "untouched": .array(
                untouched.map { result in
                    [
                        "scenario": .string(result.scenario), "green": .bool(result.end == .good),
                        "red": .array(result.red.map(JSONValue.string)), "took_s": Self.rounded(result.took.seconds),
                        "words": .string(result.words),
                    ]
                }),
            "caught": JSONValue(caught), "planted": JSONValue(defects.count), "whole": .bool(isWhole),
        ]
    }

    /// A table of the defects, what the untouched pool came to, and one sentence.
    package var text: String {
        let head = ["defect", "invariant", "scenario", "caught", "after"]
        let rows = defects.map { result in
            [
                result.name, result.invariant ?? "", result.scenario, Self.word(result.end),
                result.secondsToDetection.map { "\(Self.oneDecimal($0)) s" } ?? "",
            ]
        }
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            var line = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
                .joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
        var lines = rows.isEmpty ? [] : [line(head)] + rows.map(line)
        let odd = (untouched + defects).filter { $0.end != .good }
        if !odd.isEmpty {
            lines.append("")
            lines += odd.map { "\($0.name): \($0.invariant == nil ? "not green" : Self.word($0.end)): \($0.words)" }
        }
        if !lines.isEmpty { lines.append("") }
        let green = untouched.count { $0.end == .good }
        let caughtWords = rows.isEmpty ? "" : "\(caught) of \(defects.count) defects caught; "
        lines.append(
            "\(caughtWords)the untouched pool was green in \(green) of \(untouched.count) runs"
                + (isWhole ? "" : "; interrupted before the end"))
        return lines.joined(separator: "\n")
    }

    private static func word(_ end: TrialResult.End) -> String {
        switch end {
        case .good: "yes"
        case .bad: "no"
        case .undecided: "undecided"
        case .failed: "no report"
        }
    }

    private static func rounded(_ seconds: Double?) -> JSONValue {
        seconds.map { .double(($0 * 1e3).rounded() / 1e3) } ?? .null
    }

    private static func oneDecimal(_ number: Double) -> String { "\((number * 10).rounded() / 10)" }
}
