/// Lines of a report, built from top to bottom, none wider than the page but those that must stay whole.
struct TextPage {
    let width: Int
    let palette: Palette
    private(set) var lines: [String] = []

    init(width: Int, color: Bool) {
        self.width = max(width, 20)
        palette = Palette(isOn: color)
    }

    /// An empty line and a heading.
    mutating func heading(_ text: String) {
        lines.append("")
        lines += TerminalText.wrap(text, width: width).map { palette.paint($0, .strong) }
    }

    /// A painted label, and a text that is wrapped behind it, each line under the first one. Where the label takes more
    /// than half of the page, the text begins on the next line, four columns behind the label's own indent.
    ///
    /// - Parameters:
    ///   - column: where the text begins at the earliest; 0: right behind the label.
    ///   - isOneLine: what does not fit on the first line of the text is left out.
    mutating func entry(
        indent: Int, label: String, _ meaning: Palette.Meaning?, column: Int = 0, _ text: String,
        isOneLine: Bool = false
    ) {
        let label = TerminalText.clean(label)
        func paint(_ text: String) -> String { meaning.map { palette.paint(text, $0) } ?? text }
        let begin = max(column, indent + TerminalText.width(label) + (label.isEmpty ? 0 : 1))
        if begin <= width / 2 {
            let gap = Self.space(begin - indent - TerminalText.width(label))
            let parts = Self.lines(text, width: width - begin, isOne: isOneLine)
            lines.append(Self.space(indent) + paint(label) + (parts[0].isEmpty ? "" : gap + parts[0]))
            lines += parts.dropFirst().map { Self.space(begin) + $0 }
        } else {
            lines += TerminalText.wrap(label, width: width - indent).map { Self.space(indent) + paint($0) }
            lines += Self.lines(text, width: width - indent - 4, isOne: isOneLine).filter { !$0.isEmpty }.map {
                Self.space(indent + 4) + $0
            }
        }
    }

    private static func lines(_ text: String, width: Int, isOne: Bool) -> [String] {
        isOne
            ? [TerminalText.truncate(TerminalText.clean(text), width: max(width, 2))]
            : TerminalText.wrap(text, width: width)
    }

    mutating func gap() { lines.append("") }

    /// A line that stays whole, however long it is: a path, a command that somebody copies.
    mutating func whole(label: String, _ text: String) {
        lines.append(palette.paint(label, .faint) + " " + TerminalText.clean(text))
    }

    /// A table whose first column is text and whose others are numbers. Where it is wider than the page, each row
    /// becomes an entry of its own: `append: ok 12, fail 3`.
    mutating func table(header: [String], rows: [[String]]) {
        let rows = rows.map { $0.map(TerminalText.clean) }
        let widths = header.indices.map { column in
            ([header] + rows).map { TerminalText.width($0[column]) }.max() ?? 0
        }
        guard 2 + widths.reduce(0, +) + 3 * (widths.count - 1) <= width else {
            for row in rows {
                let cells = zip(header, row).dropFirst().filter { !$1.isEmpty }.map { "\($0) \($1)" }
                entry(indent: 2, label: row[0] + ":", nil, cells.joined(separator: ", "))
            }
            return
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.indices.map { column in
                column == 0
                    ? TerminalText.padRight(cells[column], widths[column])
                    : TerminalText.padLeft(cells[column], widths[column])
            }
            let line = "  " + padded.joined(separator: "   ")
            return String(line[..<(line.lastIndex { $0 != " " }.map(line.index(after:)) ?? line.startIndex)])
        }
        lines.append(palette.paint(line(header), .faint))
        lines += rows.map(line)
    }

    var text: String { lines.joined(separator: "\n") + "\n" }

    private static func space(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
}
