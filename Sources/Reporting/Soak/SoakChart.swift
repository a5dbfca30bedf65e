import RigModel

/// One number from window to window, as a small plot with a mark for each window.
struct SoakChart: Sendable {
    private static let size = (width: 320.0, height: 110.0)
    private static let margin = (left: 46.0, right: 8.0, top: 8.0, bottom: 20.0)

    let title: String
    let unit: String
    /// In order; `nil` where the window has no such number.
    let points: [(window: Int, value: Double?, verdict: Verdict)]
    let drift: SoakDrift?

    static func all(_ windows: [SoakWindow], _ drift: [SoakDrift]) -> [SoakChart] {
        func chart(
            _ title: String, _ unit: String, _ quantity: SoakDrift.Quantity?, _ value: (SoakWindow) -> Double?
        ) -> SoakChart {
            SoakChart(
                title: title, unit: unit, points: windows.map { ($0.number, value($0), $0.verdict) },
                drift: drift.first { $0.quantity == quantity })
        }
        return [
            chart("Latency p99", "ms", .p99) { $0.numbers.p99Milliseconds },
            chart("Throughput", "/s", nil) { $0.numbers.okPerSecond },
            chart("Slowest recovery", "s", nil) { $0.slowestRecoverySeconds },
            chart("Memory", "MB", .memory) { $0.numbers.residentBytes.map { $0 / 1_048_576 } },
            chart("Descriptors", "", .descriptors) { $0.numbers.descriptors },
            chart("Server sessions", "", .serverSessions) { $0.numbers.serverSessions },
        ]
    }

    var html: HTML {
        let known = points.compactMap(\.value)
        guard let most = known.max() else {
            return "<figure><figcaption>\(title)</figcaption><p class=\"none\">No window has this number.</p></figure>"
        }
        let ticks = NiceTicks.linear(to: max(most, 1e-3), count: 3)
        let top = ticks.last ?? 1
        let inner = (
            width: Self.size.width - Self.margin.left - Self.margin.right,
            height: Self.size.height - Self.margin.top - Self.margin.bottom
        )
        func x(_ index: Int) -> Double { Self.margin.left + inner.width * (Double(index) + 0.5) / Double(points.count) }
        func y(_ value: Double) -> Double { Self.margin.top + inner.height * (1 - value / top) }
        let grid = ticks.map { tick -> HTML in
            let at = Self.text(y(tick))
            return """
                <line class="grid" x1="\(Self.text(Self.margin.left))" x2="\(Self.text(Self.size.width - Self.margin.right))" y1="\(at)" y2="\(at)"/>\
                <text x="\(Self.text(Self.margin.left - 6))" y="\(Self.text(y(tick) + 4))" text-anchor="end">\(NumberText.short(tick))</text>
                """
        }
        var path = ""
        var isDrawing = false
        for (index, point) in points.enumerated() {
            guard let value = point.value else {
                isDrawing = false
                continue
            }
            path += "\(isDrawing ? "L" : "M")\(Self.text(x(index))) \(Self.text(y(value)))"
            isDrawing = true
        }
        let marks = points.enumerated().compactMap { index, point -> HTML? in
            guard let value = point.value else { return nil }
            let style = point.verdict == .invalid ? " bad" : point.verdict == .unknown ? " doubt" : ""
            let radius = points.count > 120 && point.verdict == .valid ? "1" : "2.6"
            return """
                <circle class="point\(style)" cx="\(Self.text(x(index)))" cy="\(Self.text(y(value)))" r="\(radius)">\
                <title>window \(point.window), \(point.verdict.rawValue): \(NumberText.short(value)) \(unit)</title></circle>
                """
        }
        let ends = [
            points.first.map { ($0.window, 0) },
            points.count > 1 ? points.last.map { ($0.window, points.count - 1) } : nil,
        ]
        .compactMap { $0 }
        let labels = ends.map { number, index -> HTML in
            "<text x=\"\(Self.text(x(index)))\" y=\"\(Self.text(Self.size.height - 5))\" text-anchor=\"middle\">\(number)</text>"
        }
        let last = known.last.map { "\(NumberText.short($0)) \(unit)" } ?? ""
        return """
            <figure\(drift == nil ? nil : " class=\"drifts\"" as HTML)><figcaption><b>\(title)</b> <span class="quiet">last \(last)</span>\
            \(drift.map { "<br><b class=\"flagged\">\($0.words)</b>" as HTML })</figcaption>
            <svg viewBox="0 0 \(Self.text(Self.size.width)) \(Self.text(Self.size.height))" role="img" aria-label="\(title) over \(points.count) windows">
            \(grid)<path class="line use" d="\(path)"/>\(marks)\(labels)</svg></figure>

            """
    }

    private static func text(_ value: Double) -> String { String((value * 10).rounded() / 10) }
}
