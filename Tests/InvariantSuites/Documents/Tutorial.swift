import Foundation

/// docs/tutorial.md, as far as it can be run.
struct Tutorial {
    /// What its reader does, in order.
    enum Step: Equatable {
        /// A block with a file name: ` ```yaml checkout.yaml `.
        case write(file: String, text: String)
        /// A line of a block ` ```sh `, without the comment that names its exit code.
        case command(String, exitCode: Int32)
        /// The first line of a block without a word: one that a command before it prints just so. An event is shortened.
        case shows(String)
    }

    struct Section {
        let title: String
        var steps: [Step] = []
    }

    /// One for each heading of the second level.
    let sections: [Section]

    init(_ markdown: String) {
        var sections: [Section] = []
        /// The words behind the three backticks, and the lines since.
        var block: (info: [Substring], lines: [Substring])?
        for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                if let (info, lines) = block {
                    block = nil
                    guard !sections.isEmpty else { continue }
                    sections[sections.count - 1].steps += Self.steps(info, lines)
                } else {
                    block = (line.dropFirst(3).split(separator: " "), [])
                }
            } else if block != nil {
                block?.lines.append(line)
            } else if line.hasPrefix("## ") {
                sections.append(Section(title: String(line.dropFirst(3))))
            }
        }
        self.sections = sections
    }

    private static func steps(_ info: [Substring], _ lines: [Substring]) -> [Step] {
        if info == ["sh"] { return lines.map(command) }
        if info.count == 2 { return [.write(file: String(info[1]), text: lines.joined(separator: "\n") + "\n")] }
        guard info.isEmpty, let first = lines.first, !first.hasPrefix("{") else { return [] }
        return [.shows(String(first))]
    }

    private static func command(_ line: Substring) -> Step {
        guard let match = line.wholeMatch(of: /(.*?) *# exit code (\d+)/), let code = Int32(match.2) else {
            return .command(String(line), exitCode: 0)
        }
        return .command(String(match.1), exitCode: code)
    }
}
