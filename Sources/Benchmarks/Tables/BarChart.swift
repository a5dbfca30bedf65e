/// Horizontal bars in panels, as SVG for light and dark pages. Every bar has its name and its value in words, so nothing is
/// said by colour or length alone.
struct BarChart {
    struct Bar {
        let name: String
        let value: Double
        /// The value with its unit.
        let label: String
    }

    struct Panel {
        let title: String
        let bars: [Bar]
    }

    let title: String
    let subtitle: String
    let panels: [Panel]
    let footnote: String

    private enum Size {
        static let width = 760
        static let margin = 24
        static let nameWidth = 190
        static let longestBar = 380
        static let barHeight = 22
        static let step = 32
        static let panelGap = 44
    }

    var svg: String {
        var y = 96
        var body = ""
        for panel in panels {
            body += text(panel.title, x: Size.margin, y: y, type: "panel")
            y += 14
            let most = panel.bars.map(\.value).max() ?? 0
            for bar in panel.bars {
                body += draw(bar, most: most, y: y)
                y += Size.step
            }
            y += Size.panelGap
        }
        let height = y + 8
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Size.width) \(height)" width="\(Size.width)" \
            height="\(height)" role="img" aria-labelledby="title description">
              <title id="title">\(Self.escape(title))</title>
              <desc id="description">\(Self.escape(words))</desc>
              <style>
                .back { fill: #ffffff; }
                .bar { fill: #2f6f9f; }
                text { fill: #1f2328; font: 14px system-ui, sans-serif; }
                .title { font-size: 20px; font-weight: 600; }
                .panel { font-size: 16px; font-weight: 600; }
                .quiet { fill: #59636e; font-size: 12px; }
                @media (prefers-color-scheme: dark) {
                  .back { fill: #0d1117; }
                  .bar { fill: #6cb2e8; }
                  text { fill: #f0f6fc; }
                  .quiet { fill: #9198a1; }
                }
              </style>
              <rect class="back" width="100%" height="100%"/>
            \(text(title, x: Size.margin, y: 36, type: "title"))\(text(subtitle, x: Size.margin, y: 58, type: "quiet"))\
            \(body)\(text(footnote, x: Size.margin, y: height - 20, type: "quiet"))</svg>

            """
    }

    /// For those who cannot see it.
    private var words: String {
        panels.map { panel in
            "\(panel.title): " + panel.bars.map { "\($0.name) \($0.label)" }.joined(separator: ", ")
        }.joined(separator: ". ")
    }

    private func draw(_ bar: Bar, most: Double, y: Int) -> String {
        let start = Size.margin + Size.nameWidth
        // At least a hairline: a bar that cannot be seen looks like a missing one.
        let length = max(2, most > 0 ? Int(Double(Size.longestBar) * bar.value / most) : 0)
        return text(bar.name, x: start - 10, y: y + 16, type: "name", anchor: "end")
            + "  <rect class=\"bar\" x=\"\(start)\" y=\"\(y)\" width=\"\(length)\" height=\"\(Size.barHeight)\" rx=\"3\"/>\n"
            + text(bar.label, x: start + length + 8, y: y + 16, type: "value")
    }

    private func text(_ words: String, x: Int, y: Int, type: String, anchor: String = "start") -> String {
        "  <text class=\"\(type)\" x=\"\(x)\" y=\"\(y)\" text-anchor=\"\(anchor)\">\(Self.escape(words))</text>\n"
    }

    private static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.append(character)
            }
        }
        return escaped
    }
}
