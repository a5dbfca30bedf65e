package import RigModel

/// `compare` on a terminal.
package enum ComparisonText {
    package static func render(_ comparison: Comparison, width: Int, color: Bool) -> String {
        var page = TextPage(width: width, color: color)
        for (name, run) in [("A", comparison.a), ("B", comparison.b)] {
            page.entry(indent: 0, label: name, .strong, column: 3, ComparisonWords.run(run))
        }
        for warning in comparison.warnings { page.entry(indent: 0, label: "hardly comparable:", .doubt, warning) }
        func table(_ title: String, _ changes: [Comparison.Change]) {
            guard !changes.isEmpty else { return }
            page.heading(title)
            page.table(header: ["", "A", "B"], rows: changes.map { [$0.name, $0.a, $0.b] })
        }
        table("Verdicts that changed", comparison.verdicts)
        table("What differs", comparison.differences)
        page.heading("Numbers")
        let rows = comparison.numbers.map(ComparisonWords.cells)
        // Where everything is as it was there is no answer.
        let hasAnswers = rows.contains { $0.last?.isEmpty == false }
        func shown(_ cells: [String]) -> [String] { hasAnswers ? cells : cells.dropLast() }
        page.table(header: shown(ComparisonWords.header), rows: rows.map(shown))
        if !comparison.scenarioChanges.isEmpty {
            page.heading("Scenario")
            for line in comparison.scenarioChanges { page.whole(label: " ", line) }
        }
        return String(page.text.drop { $0 == "\n" }.dropLast())
    }
}

/// `compare --markdown`.
package enum ComparisonMarkdown {
    package static func render(_ comparison: Comparison) -> String {
        var lines = ["## \(MarkdownText.plain(comparison.a.scenario)): A and B", ""]
        for (name, run) in [("A", comparison.a), ("B", comparison.b)] {
            lines.append("- **\(name)** \(MarkdownText.plain(ComparisonWords.run(run)))")
        }
        for warning in comparison.warnings { lines.append("- ⚠️ hardly comparable: \(MarkdownText.plain(warning))") }
        lines.append("")
        let changes = comparison.verdicts + comparison.differences
        if !changes.isEmpty {
            lines += ["| | A | B |", "|---|---|---|"]
            lines += changes.map { row([$0.name, $0.a, $0.b]) } + [""]
        }
        lines += [row(ComparisonWords.header), "|---|--:|--:|--:|---|"]
        lines += comparison.numbers.map { row(ComparisonWords.cells($0)) } + [""]
        if !comparison.scenarioChanges.isEmpty {
            // Indented by four, nothing in a line is markup.
            lines += ["Scenario:", ""] + comparison.scenarioChanges.map { "    \(TerminalText.clean($0))" } + [""]
        }
        return lines.joined(separator: "\n")
    }

    private static func row(_ cells: [String]) -> String {
        "| \(cells.map { MarkdownText.plain($0) }.joined(separator: " | ")) |"
    }
}

/// `compare --json`, schema `chaosrig.comparison/1`.
package enum ComparisonJSON {
    package static func encode(_ comparison: Comparison) -> JSONValue {
        func changes(_ changes: [Comparison.Change]) -> JSONValue {
            .array(changes.map { ["name": .string($0.name), "a": .string($0.a), "b": .string($0.b)] })
        }
        return [
            "schema": "chaosrig.comparison/1", "a": run(comparison.a), "b": run(comparison.b),
            "comparable": .bool(comparison.warnings.isEmpty),
            "warnings": .array(comparison.warnings.map { .string($0) }), "verdicts": changes(comparison.verdicts),
            "differences": changes(comparison.differences),
            "numbers": .array(
                comparison.numbers.map { number in
                    [
                        "name": .string(number.metric.name), "unit": .string(number.metric.unit.rawValue),
                        "a": JSONValue(number.a), "b": JSONValue(number.b),
                        "ratio": JSONValue(number.ratio), "answer": .string(number.answer.rawValue),
                    ]
                }),
            "scenario_changes": .array(comparison.scenarioChanges.map { .string($0) }),
        ]
    }

    private static func run(_ run: FiledRun) -> JSONValue {
        [
            "id": run.id == 0 ? .null : .int(run.id), "folder": .string(run.folder), "scenario": .string(run.scenario),
            "scenario_hash": .string(run.scenarioHash), "seed": .string(run.seed), "started_at": .string(run.startedAt),
            "verdict": .string(run.verdict), "exit_code": JSONValue(run.exitCode),
            "commit": JSONValue(run.origin.commit),
        ]
    }
}

/// What the three have in common.
enum ComparisonWords {
    static let header = ["", "A", "B", "change", "answer"]

    static func run(_ run: FiledRun) -> String {
        let commit = run.origin.shortCommit.map { ", commit \($0)" } ?? ""
        let number = run.id == 0 ? "" : "run \(run.id), "
        return "\(run.verdict): \(number)\(run.scenario), seed \(run.seed), \(run.startedAt)\(commit) (\(run.folder))"
    }

    static func cells(_ number: Comparison.Number) -> [String] {
        let words = [number.a, number.b].map { $0.map(number.metric.words) ?? "–" }
        let change: String =
            if let a = number.a, let b = number.b { Numbers.change(from: a, to: b) } else { "" }
        let answer =
            switch number.answer {
            case .same: ""
            case .worse: "worse"
            case .better: "better"
            case .onlyA: "only in A"
            case .onlyB: "only in B"
            }
        return [number.metric.title] + words + [change, answer]
    }
}
