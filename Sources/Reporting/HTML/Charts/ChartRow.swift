/// One plot of the time line, with its heading, legend and axis.
struct ChartRow: Sendable {
    struct LegendEntry: Sendable {
        /// A class of the style sheet, the same as the mark's.
        var style: HTML
        var label: String
        /// Drawn as a filled box, and not as a line.
        var isFilled: Bool
    }

    var title: String
    var unit: String
    var legend: [LegendEntry]
    var scale: Scale
    var tickLabel: @Sendable (Double) -> String
    /// Inside the plot, over the bands and the grid.
    var marks: HTML
    /// In words, for those who do not see it.
    var summary: String
    /// What a bucket comes to, a line for each fact; shown at the pointer.
    var columns: [(span: Range<Int64>, text: String)]

    func html(in frame: TimeFrame, _ bands: FaultBands) -> HTML {
        let height = Int(scale.height)
        return """
            <div class="row"><div class="name"><h3>\(title)</h3><p class="unit">\(unit)</p>\(legendHTML)</div>\
            <svg class="ticks" width="52" height="\(height)" aria-hidden="true">\(tickLabels)</svg>\
            <svg class="plot" role="img" tabindex="0" height="\(height)" aria-label="\(title). \(summary)">\
            \(bands.svg(in: frame))\(grid(frame))\(marks)\(bands.tags(in: frame))\(Self.hits(columns, in: frame))</svg></div>

            """
    }

    private var legendHTML: HTML {
        if legend.isEmpty { return "" }
        let entries = legend.map { entry -> HTML in
            let mark: HTML =
                entry.isFilled
                ? "<rect class=\"\(entry.style)\" x=\"1\" y=\"2\" width=\"16\" height=\"8\"/>"
                : "<path class=\"\(entry.style)\" d=\"M1 6H17\"/>"
            return "<li><svg width=\"18\" height=\"12\" aria-hidden=\"true\">\(mark)</svg>\(entry.label)</li>"
        }
        return "<ul class=\"legend\">\(entries)</ul>"
    }

    private var tickLabels: HTML {
        scale.ticks.map { tick -> HTML in
            let y = Int(scale.y(tick).rounded())
            return "<text x=\"46\" y=\"\(min(max(y + 4, 10), Int(scale.height) - 1))\">\(tickLabel(tick))</text>"
        }.joined()
    }

    private func grid(_ frame: TimeFrame) -> HTML {
        let levels = scale.ticks.map { tick -> HTML in
            let y = Int(scale.y(tick).rounded())
            return "<line class=\"grid\" x2=\"100%\" y1=\"\(y)\" y2=\"\(y)\"/>"
        }.joined()
        let times = NiceTicks.times(frame.span).map { time -> HTML in
            let x = frame.percent(time)
            return "<line class=\"grid\" x1=\"\(x)\" x2=\"\(x)\" y2=\"100%\"/>"
        }.joined()
        return "\(levels)\(times)"
    }

    /// Columns that answer to the pointer: with a title each, which a browser shows also without the script.
    static func hits(_ columns: [(span: Range<Int64>, text: String)], in frame: TimeFrame) -> HTML {
        let rectangles = columns.map { column -> HTML in
            let width = frame.percent(from: column.span.lowerBound, to: column.span.upperBound)
            return
                "<rect x=\"\(frame.percent(column.span.lowerBound))\" width=\"\(width)\" height=\"100%\"><title>\(column.text)</title></rect>"
        }
        return "<g class=\"hits\">\(rectangles)</g>"
    }
}
