import RigModel

/// How throughput and open connections went around one fault, against what they were before.
struct RecoveryFigure: Sendable {
    private let curve: RecoveryCurve
    private let record: RecoveryRecord?
    private let baselineRate: Double
    private let baselineOpen: Double
    private let duration: Int64

    /// `nil` where nothing can be compared: no success before, and none in the steady phase.
    init?(_ curve: RecoveryCurve, _ record: RecoveryRecord?, _ curves: RecoveryCurves, duration: Int64) {
        let before = curve.series.buckets.indices.filter { curve.series.span(of: $0).upperBound <= curve.injectedAt }
        let ok = before.reduce(0) { $0 + curve.series.buckets[$1].ok }
        let own = before.isEmpty ? 0 : Double(ok) * 1e9 / Double(Int64(before.count) * curve.series.width)
        let rate = curves.baselineOKPerSecond ?? own
        guard rate > 0 else { return nil }
        baselineRate = rate
        let open = before.compactMap { curve.series.buckets[$0].open.mean }
        baselineOpen = curves.baselineOpen ?? (open.max() ?? 0)
        (self.curve, self.record, self.duration) = (curve, record, duration)
    }

    private static let highest = 150.0

    var html: HTML {
        // Smoothed over so many points that one operation more or less is no spike.
        let coarse = smoothed
        let end = min(coarse.span(of: max(coarse.buckets.count - 1, 0)).upperBound, duration)
        let frame = TimeFrame(span: coarse.start..<max(end, coarse.start + 1))
        let scale = Scale(linear: [0, 50, 100, 150], height: 120)
        var drawing = Drawing(frame, scale)
        let whole = coarse.buckets.indices.filter { coarse.span(of: $0).upperBound <= end }
        func middle(_ index: Int) -> Int64 { coarse.span(of: index).lowerBound + coarse.width / 2 }
        func rate(_ index: Int) -> Double {
            min(Double(coarse.buckets[index].ok) * 1e9 / Double(coarse.width) / baselineRate * 100, Self.highest)
        }
        drawing.area(whole.map { (middle($0), 0, rate($0)) }, "fill k0")
        drawing.line(whole.map { (middle($0), rate($0)) }, "line k0")
        if baselineOpen > 0 {
            drawing.line(
                whole.map { index in
                    (middle(index), coarse.buckets[index].open.mean.map { min($0 / baselineOpen * 100, Self.highest) })
                }, "line p95")
        }
        let heal = curve.healedAt ?? duration
        let (x, width) = (frame.percent(curve.injectedAt), frame.percent(from: curve.injectedAt, to: heal))
        let words = "\(curve.kind) #\(curve.fault)"
        let columns = whole.map { index -> (span: Range<Int64>, text: String) in
            let point = coarse.buckets[index]
            let open = point.open.mean.map { "\n\(NumberText.short($0)) open" } ?? ""
            return (
                coarse.span(of: index),
                "\(offset(middle(index)))\n\(NumberText.short(Double(point.ok) * 1e9 / Double(coarse.width))) ok/s\n\(point.notOK) not ok\(open)"
            )
        }
        return """
            <figure class="recovery"><figcaption><b>\(words)</b> <span class="quiet">\(NumberText.clock(curve.injectedAt))</span></figcaption>\
            <div class="row"><svg class="ticks" width="40" height="120" aria-hidden="true">\(levels(scale))</svg>\
            <svg class="plot" role="img" tabindex="0" height="120" aria-label="Recovery from \(words). \(answers.map { "\($0.name) \($0.value)" }.joined(separator: ", "))">\
            <rect class="band" x="\(x)" width="\(width)" height="100%"/>\(grid(scale))\(drawing.svg)\(marks(frame))\
            \(ChartRow.hits(columns, in: frame))</svg></div>\
            <div class="row slim"><span class="ticks"></span>\(timeTicks(frame))</div>\
            <dl class="answers">\(answers.map { "<div><dt>\($0.name)</dt><dd>\($0.value)</dd></div>" as HTML })</dl></figure>

            """
    }

    private var smoothed: BucketSeries<RecoveryCurve.Point> {
        var series = curve.series
        while Double(series.width) / 1e9 * baselineRate < 20, series.width < 1_000_000_000, series.buckets.count > 24 {
            series = series.coarsened(to: series.buckets.count - 1)
        }
        return series
    }

    private var answers: [(name: String, value: String)] {
        guard let record else { return [] }
        let words = RecoverySection.words
        return [
            ("first ok", words(record.firstOkSeconds)), ("full pool", words(record.fullPoolSeconds)),
            ("throughput", words(record.baselineThroughputSeconds)), ("p95", words(record.baselineP95Seconds)),
            ("lost", "\(NumberText.count(record.lostOperations)) ops"),
        ]
    }

    private func offset(_ time: Int64) -> String {
        let zero = curve.healedAt ?? curve.injectedAt
        let name = curve.healedAt == nil ? "injection" : "heal"
        let distance = TimeText.words(nanoseconds: abs(time - zero))
        return "\(distance) \(time < zero ? "before" : "after") the \(name)"
    }

    private func levels(_ scale: Scale) -> HTML {
        [0, 50, 100].map { (level: Double) -> HTML in
            "<text x=\"36\" y=\"\(min(Int(scale.y(level)) + 4, 119))\">\(Int(level)) %</text>"
        }.joined()
    }

    private func grid(_ scale: Scale) -> HTML {
        [0, 50, 100].map { (level: Double) -> HTML in
            let y = Int(scale.y(level).rounded())
            return "<line class=\"\(level == 100 ? "limit" : "grid")\" x2=\"100%\" y1=\"\(y)\" y2=\"\(y)\"/>"
        }.joined()
    }

    /// When it was back: first success, and throughput.
    private func marks(_ frame: TimeFrame) -> HTML {
        guard let heal = curve.healedAt else { return "" }
        let times: [(name: HTML, style: HTML, seconds: Double?)] = [
            ("first ok", "first", record?.firstOkSeconds), ("throughput back", "", record?.baselineThroughputSeconds),
        ]
        return times.map { name, style, seconds -> HTML in
            guard let seconds else { return "" }
            let x = frame.percent(heal + NumberText.nanoseconds(seconds))
            return "<line class=\"mark \(style)\" x1=\"\(x)\" x2=\"\(x)\" y2=\"100%\"><title>\(name)</title></line>"
        }.joined()
    }

    /// Seconds since the heal.
    private func timeTicks(_ frame: TimeFrame) -> HTML {
        let zero = curve.healedAt ?? curve.injectedAt
        let relative = frame.span.lowerBound - zero..<frame.span.upperBound - zero
        let step = max(NiceTicks.step(of: relative.upperBound - relative.lowerBound, atMost: 7), 1_000_000_000)
        let first = -(-relative.lowerBound / step)
        let last = relative.upperBound / step
        let labels = (first <= last ? Array(first...last) : []).map { number -> HTML in
            let time = number * step
            let position = frame.position(time + zero)
            let anchor: HTML = position < 4 ? "start" : position > 94 ? "end" : "middle"
            let text =
                time == 0
                ? (curve.healedAt == nil ? "inject" : "heal") : "\(time > 0 ? "+" : "−")\(abs(time) / 1_000_000_000) s"
            return "<text x=\"\(frame.percent(time + zero))\" y=\"13\" text-anchor=\"\(anchor)\">\(text)</text>"
        }
        return "<svg class=\"strip time\" height=\"18\" aria-hidden=\"true\">\(labels)</svg>"
    }
}
