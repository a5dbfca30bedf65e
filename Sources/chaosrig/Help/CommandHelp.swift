import Reporting

/// The text of `--help`. Pure.
struct CommandHelp {
    let command: any Command.Type
    /// Columns.
    let width: Int

    var text: String {
        var lines: [String] = []
        for (index, form) in command.synopsis.enumerated() {
            let call = "chaosrig \(command.name) \(form)".trimmingSuffix(while: { $0 == " " })
            lines += entry(index == 0 ? "Usage:" : "      ", String(call), indent: 0, column: 7)
        }
        for paragraph in command.details { lines += [""] + TerminalText.wrap(paragraph, width: width) }
        lines += section("Words", command.operands.words.filter { !$0.summary.isEmpty }.map { ($0.name, $0.summary) })
        lines += options
        for paragraph in command.notes { lines += [""] + TerminalText.wrap(paragraph, width: width) }
        lines += ["", command.examples.count == 1 ? "Example:" : "Examples:"]
        // A command that is copied stays on one line.
        lines += command.examples.map { "  " + $0 }
        return lines.joined(separator: "\n")
    }

    private var options: [String] {
        var rows: [(String, String)] = []
        for option in command.options {
            rows.append((option.usage, option.text))
            rows += option.kind.words.filter { !$0.summary.isEmpty }.map { ("  " + $0.name, $0.summary) }
        }
        return section("Options", rows)
    }

    private func section(_ title: String, _ rows: [(label: String, text: String)]) -> [String] {
        guard !rows.isEmpty else { return [] }
        let longest = rows.map { TerminalText.width($0.label) }.max() ?? 0
        let column = min(longest + 4, max(width / 3, 12))
        return ["", "\(title):"] + rows.flatMap { entry($0.label, $0.text, indent: 2, column: column) }
    }

    /// A label and a text beside it; below it, where the label is too long.
    private func entry(_ label: String, _ text: String, indent: Int, column: Int) -> [String] {
        let parts = TerminalText.wrap(text, width: width - column)
        let head = String(repeating: " ", count: indent) + label
        let space = String(repeating: " ", count: column)
        let isLong = TerminalText.width(head) >= column
        let first = isLong ? [head, space + parts[0]] : [head.padding(to: column) + parts[0]]
        return first + parts.dropFirst().map { space + $0 }
    }
}

extension String {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> Substring {
        var result = self[...]
        while let last = result.last, isTrimmed(last) { result = result.dropLast() }
        return result
    }
}
