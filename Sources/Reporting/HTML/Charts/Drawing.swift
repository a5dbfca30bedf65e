import RigModel

/// The marks of one plot: paths in a box that is as wide as the plot and stretches with it. Four units are a pixel of height.
struct Drawing: Sendable {
    private static let perPixel = 4.0
    /// What has no value breaks a line.
    typealias Point = (time: Int64, value: Double?)

    let frame: TimeFrame
    let scale: Scale
    private var paths: HTML = ""

    init(_ frame: TimeFrame, _ scale: Scale) {
        self.frame = frame
        self.scale = scale
    }

    /// - Parameter style: a class of the style sheet.
    mutating func line(_ points: [Point], _ style: HTML) {
        var path = ""
        for run in Self.runs(points) {
            path += move(run[0])
            // A lone point is a short dash.
            if run.count == 1 { path += "h12" } else { path += run.dropFirst().map(draw).joined() }
        }
        add(path, style)
    }

    /// Between two values, the lower one first.
    mutating func area(_ points: [(time: Int64, low: Double, high: Double)], _ style: HTML) {
        guard points.count > 1 else { return }
        var path = ""
        for (index, point) in points.enumerated() {
            path += index == 0 ? move((point.time, point.high)) : draw((point.time, point.high))
        }
        for point in points.reversed() { path += draw((point.time, point.low)) }
        add(path + "Z", style)
    }

    /// From one value up to another, over the whole of a span.
    mutating func bars(_ bars: [(span: Range<Int64>, low: Double, high: Double)], _ style: HTML) {
        var path = ""
        for bar in bars where bar.high > bar.low {
            let (left, right) = (frame.x(bar.span.lowerBound), frame.x(bar.span.upperBound))
            let (top, bottom) = (y(bar.high), y(bar.low))
            // A single error in a long run still has a bar of a pixel.
            let height = max(bottom - top, 4)
            path += "M\(left) \(bottom - height)h\(max(right - left - 1, 3))v\(height)H\(left)Z"
        }
        add(path, style)
    }

    var svg: HTML {
        "<svg viewBox=\"0 0 4000 \(Int(scale.height * Self.perPixel))\" preserveAspectRatio=\"none\" width=\"100%\" height=\"100%\" aria-hidden=\"true\">\(paths)</svg>"
    }

    private mutating func add(_ path: String, _ style: HTML) {
        if path.isEmpty { return }
        paths += "<path class=\"\(style)\" d=\"\(HTML(trusted: path))\"/>"
    }

    private func y(_ value: Double) -> Int { Int((scale.y(value) * Self.perPixel).rounded()) }
    private func move(_ point: Point) -> String { "M\(frame.x(point.time)) \(y(point.value ?? 0))" }
    private func draw(_ point: Point) -> String { "L\(frame.x(point.time)) \(y(point.value ?? 0))" }

    private static func runs(_ points: [Point]) -> [[Point]] {
        var runs: [[Point]] = []
        var run: [Point] = []
        for point in points {
            if point.value != nil {
                run.append(point)
            } else if !run.isEmpty {
                runs.append(run)
                run = []
            }
        }
        return run.isEmpty ? runs : runs + [run]
    }
}
