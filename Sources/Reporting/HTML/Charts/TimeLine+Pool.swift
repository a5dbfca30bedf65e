import RigModel

/// What the pool, the server and the process had.
extension TimeLine {
    /// Open connections by what they did, one above the other.
    var pool: ChartRow? {
        guard has(.open) else { return nil }
        let (open, idle, inUse) = (gauge(.open), gauge(.idle), gauge(.inUse))
        let connecting = gauge(.connecting)
        let peak = most(.open)
        let top = max(peak, picture.maxOpen.map { Double($0) <= peak * 3 ? Double($0) : 0 } ?? 0, 1)
        let scale = Scale(linear: NiceTicks.counts(to: top, count: 4), height: 108)
        var drawing = Drawing(frame, scale)
        if let maxOpen = picture.maxOpen, Double(maxOpen) <= top {
            drawing.line([(0, Double(maxOpen)), (frame.span.upperBound, Double(maxOpen))], "limit")
        }
        var base = buckets.map { _ in 0.0 }
        let checked = open.indices.map { index in
            (
                open[index].time,
                open[index].value.map { max(0, $0 - (idle[index].value ?? 0) - (inUse[index].value ?? 0)) }
            )
        }
        let layers: [(name: String, style: HTML, points: [Drawing.Point])] = [
            ("in use", "use", inUse), ("idle", "idle", idle), ("in check or reset", "check", checked),
        ]
        for (number, layer) in layers.enumerated() {
            let tops = zip(base, layer.points).map { $0 + ($1.value ?? 0) }
            drawing.area(buckets.indices.map { (middle($0), base[$0], tops[$0]) }, "fill \(layer.style)")
            drawing.line(
                // An empty layer's line would hide the one below.
                buckets.indices.map { index in
                    (
                        middle(index),
                        layer.points[index].value.map { $0 > (number == 0 ? -1 : 0.01) } == true ? tops[index] : nil
                    )
                }, "line \(layer.style)")
            base = tops
        }
        let isConnecting = most(.connecting) > 0
        if isConnecting { drawing.line(connecting, "line p99") }
        var legend = layers.reversed().map {
            ChartRow.LegendEntry(style: "key \($0.style)", label: $0.name, isFilled: true)
        }
        if isConnecting { legend.append(.init(style: "line p99", label: "connecting", isFilled: false)) }
        if let maxOpen = picture.maxOpen, Double(maxOpen) <= top {
            legend.append(.init(style: "limit", label: "limit \(maxOpen)", isFilled: false))
        }
        return ChartRow(
            title: "Pool", unit: "connections, mean of the samples", legend: legend, scale: scale,
            tickLabel: { NumberText.short($0) }, marks: drawing.svg,
            summary: "At most \(NumberText.short(peak)) open.",
            columns: columns { _, index in
                func text(_ points: [Drawing.Point]) -> String { points[index].value.map(NumberText.short) ?? "-" }
                return ["\(text(open)) open", "\(text(inUse)) in use", "\(text(idle)) idle"]
                    + (has(.connecting) ? ["\(text(connecting)) connecting"] : [])
            })
    }

    var waiting: ChartRow? {
        guard has(.waiting) else { return nil }
        let points = gauge(.waiting, \.greatest)
        let peak = most(.waiting)
        let scale = Scale(linear: NiceTicks.counts(to: max(peak, 1), count: 2), height: 64)
        var drawing = Drawing(frame, scale)
        drawing.area(points.map { ($0.time, 0, $0.value ?? 0) }, "fill wait")
        drawing.line(points, "line wait")
        return ChartRow(
            title: "Waiting", unit: "for a connection, at most", legend: [], scale: scale,
            tickLabel: { NumberText.short($0) }, marks: drawing.svg,
            summary: "At most \(NumberText.short(peak)) waited.",
            columns: columns { _, index in ["\(points[index].value.map(NumberText.short) ?? "-") waiting"] })
    }

    /// Opened above, lost and retired on top of each other.
    var connections: ChartRow? {
        let peak = buckets.map { max($0.opened, $0.lost + $0.retired + $0.connectFailed) }.max() ?? 0
        guard peak > 0 else { return nil }
        let scale = Scale(linear: NiceTicks.counts(to: Double(peak), count: 2), height: 64)
        var drawing = Drawing(frame, scale)
        func halves(_ index: Int) -> (left: Range<Int64>, right: Range<Int64>) {
            let span = span(index)
            return (span.lowerBound..<middle(index), middle(index)..<span.upperBound)
        }
        let all = buckets.indices
        drawing.bars(all.map { (halves($0).left, 0, Double(buckets[$0].opened)) }, "bar use")
        drawing.bars(all.map { (halves($0).right, 0, Double(buckets[$0].lost)) }, "bar bad")
        drawing.bars(
            all.map {
                (halves($0).right, Double(buckets[$0].lost), Double(buckets[$0].lost + buckets[$0].connectFailed))
            },
            "bar doubt")
        drawing.bars(
            all.map { index in
                let base = Double(buckets[index].lost + buckets[index].connectFailed)
                return (halves(index).right, base, base + Double(buckets[index].retired))
            }, "bar quiet")
        func sum(_ count: (RunBucket) -> Int) -> Int { buckets.reduce(0) { $0 + count($1) } }
        return ChartRow(
            title: "Connects", unit: "per \(TimeText.words(nanoseconds: picture.series.width))",
            legend: [
                .init(style: "bar use", label: "opened", isFilled: true),
                .init(style: "bar bad", label: "lost", isFilled: true),
                .init(style: "bar doubt", label: "connect failed", isFilled: true),
                .init(style: "bar quiet", label: "closed on purpose", isFilled: true),
            ], scale: scale, tickLabel: { NumberText.short($0) }, marks: drawing.svg,
            summary:
                "\(sum(\.opened)) connections opened, \(sum(\.lost)) lost, \(sum(\.connectFailed)) connects failed, \(sum(\.retired)) closed on purpose.",
            columns: columns { bucket, _ in
                [
                    "\(bucket.opened) opened", "\(bucket.lost) lost", "\(bucket.connectFailed) connects failed",
                    "\(bucket.retired) closed on purpose",
                ]
            })
    }

    /// The three books about the same connections: where they part, somebody leaks.
    var books: ChartRow? {
        let lines: [(name: String, style: HTML, gauge: Gauge)] = [
            ("server sessions", "line sessions", .sessions), ("client sockets", "line sockets", .sockets),
            ("open in the pool", "line pool", .open),
        ].filter { has($0.gauge) }
        guard lines.contains(where: { $0.gauge != .open }) else { return nil }
        let peak = lines.map { most($0.gauge) }.max() ?? 1
        let scale = Scale(linear: NiceTicks.counts(to: max(peak, 1), count: 4), height: 96)
        var drawing = Drawing(frame, scale)
        let points = lines.map { gauge($0.gauge) }
        for (line, points) in zip(lines, points) { drawing.line(points, line.style) }
        return ChartRow(
            title: "Three books", unit: "connections, counted by each side",
            legend: lines.map { .init(style: $0.style, label: $0.name, isFilled: false) }, scale: scale,
            tickLabel: { NumberText.short($0) }, marks: drawing.svg,
            summary: lines.map { "At most \(NumberText.short(most($0.gauge))) \($0.name)." }.joined(separator: " "),
            columns: columns { _, index in
                zip(lines, points).map { "\($1[index].value.map(NumberText.short) ?? "not known") \($0.name)" }
            })
    }

    var memory: ChartRow? {
        process(.memory, title: "Memory", unit: "resident, of the pool's process, MiB", divisor: 1_048_576)
    }

    var descriptors: ChartRow? {
        process(.descriptors, title: "Descriptors", unit: "open, of the pool's process", divisor: 1)
    }

    private func process(_ gauge: Gauge, title: String, unit: String, divisor: Double) -> ChartRow? {
        guard has(gauge) else { return nil }
        let points = self.gauge(gauge, \.greatest).map { (time: $0.time, value: $0.value.map { $0 / divisor }) }
        let peak = most(gauge) / divisor
        let scale = Scale(linear: NiceTicks.counts(to: max(peak, 1), count: 2), height: 56)
        var drawing = Drawing(frame, scale)
        drawing.line(points, "line quiet")
        return ChartRow(
            title: title, unit: unit, legend: [], scale: scale, tickLabel: { NumberText.short($0) }, marks: drawing.svg,
            summary: "At most \(NumberText.short(peak)).",
            columns: columns { _, index in [points[index].value.map(NumberText.short) ?? "not known"] })
    }

    private func has(_ gauge: Gauge) -> Bool { buckets.contains { $0[gauge].count > 0 } }
    private func most(_ gauge: Gauge) -> Double { buckets.map { $0[gauge].max }.max() ?? 0 }
}
