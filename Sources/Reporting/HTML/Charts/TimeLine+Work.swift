import RigModel

/// What the clients saw: operations and how long they took.
extension TimeLine {
    /// Successes by kind, one above the other.
    var throughput: ChartRow {
        // By name, so that a kind has the same colour in the reports of all runs of a scenario.
        let kinds = picture.kinds.indices.sorted { picture.kinds[$0] < picture.kinds[$1] }
        let names = kinds.map { picture.kinds[$0] }
        var base = buckets.map { _ in 0.0 }
        let rates = kinds.map { kind in buckets.indices.map { Double(buckets[$0][kind: kind].ok) / seconds($0) } }
        let totals = buckets.indices.map { index in rates.reduce(0) { $0 + $1[index] } }
        // The last bucket is short, and what ends there says nothing about a rate.
        let peak = totals.dropLast().max() ?? totals.max() ?? 0
        let scale = Scale(linear: NiceTicks.counts(to: peak, count: 4), height: 132)
        var drawing = Drawing(frame, scale)
        for (kind, rate) in rates.enumerated() {
            let tops = zip(base, rate).map(+)
            drawing.area(buckets.indices.map { (middle($0), base[$0], tops[$0]) }, "fill k\(kind)")
            // Where there is nothing of a kind, its line would hide the one below.
            drawing.line(
                buckets.indices.map { (middle($0), kind == 0 || rate[$0] > 0 ? tops[$0] : nil) }, "line k\(kind)")
            base = tops
        }
        let legend = names.enumerated().reversed().map { kind, name in
            ChartRow.LegendEntry(style: "key k\(kind)", label: name, isFilled: true)
        }
        let mean = Double(buckets.reduce(0) { $0 + $1.outcomes.ok }) * 1e9 / Double(picture.duration)
        return ChartRow(
            title: "Throughput", unit: "successes per second", legend: legend, scale: scale,
            tickLabel: { NumberText.short($0) }, marks: drawing.svg,
            summary: "Mean \(NumberText.short(mean)) a second, at most \(NumberText.short(peak)).",
            columns: columns { _, index in
                ["\(NumberText.short(totals[index])) ok/s"]
                    + names.indices.filter { rates[$0][index] > 0 }.map {
                        "\(names[$0]) \(NumberText.short(rates[$0][index]))/s"
                    }
            })
    }

    /// What did not succeed, as bars: `fail` at the bottom, `info` above.
    var failures: ChartRow {
        let peak = buckets.map { $0.outcomes.fail + $0.outcomes.info }.max() ?? 0
        let scale = Scale(linear: NiceTicks.counts(to: Double(max(peak, 1)), count: 2), height: 64)
        var drawing = Drawing(frame, scale)
        let counts = buckets.map(\.outcomes)
        drawing.bars(counts.indices.map { (span($0), 0, Double(counts[$0].fail)) }, "bar bad")
        drawing.bars(
            counts.indices.map { (span($0), Double(counts[$0].fail), Double(counts[$0].fail + counts[$0].info)) },
            "bar doubt")
        let all = counts.reduce(into: OutcomeCounts()) { $0.merge($1) }
        let width = TimeText.words(nanoseconds: picture.series.width)
        let empty: HTML = peak == 0 ? "<text x=\"8\" y=\"43\">none</text>" : ""
        return ChartRow(
            title: "Errors", unit: "operations per \(width)",
            legend: [
                .init(style: "bar bad", label: "fail (not done)", isFilled: true),
                .init(style: "bar doubt", label: "info (unknown)", isFilled: true),
            ], scale: scale, tickLabel: { NumberText.short($0) }, marks: "\(drawing.svg)\(empty)",
            summary: "\(all.fail) operations failed, \(all.info) have an unknown outcome.",
            columns: columns { bucket, _ in
                ["\(bucket.outcomes.fail) fail, \(bucket.outcomes.info) info"]
                    + picture.kinds.indices.filter { bucket[kind: $0].fail + bucket[kind: $0].info > 0 }.map {
                        "\(picture.kinds[$0]) \(bucket[kind: $0].fail) fail, \(bucket[kind: $0].info) info"
                    }
            })
    }

    var latency: ChartRow? {
        durations(title: "Latency", unit: "of successes, log scale", limit: nil, \.latency)
    }

    var acquire: ChartRow? {
        durations(
            title: "Acquire wait", unit: "for a connection, log scale", limit: picture.acquireTimeoutNanoseconds,
            \.acquire)
    }

    /// Quantiles of a histogram over time.
    private func durations(
        title: String, unit: String, limit: Int64?, _ histogram: (RunBucket) -> CoarseHistogram
    ) -> ChartRow? {
        let histograms = buckets.map(histogram)
        guard let highest = histograms.map(\.maxNanoseconds).max(), highest > 0 else { return nil }
        let lowest = histograms.compactMap { $0.nanoseconds(atQuantile: 0.5) }.min() ?? 1000
        let scale = Scale(
            logarithmic: NiceTicks.logarithmic(from: Double(lowest), to: Double(max(highest, limit ?? 0))), height: 132)
        var drawing = Drawing(frame, scale)
        if let limit {
            drawing.line([(frame.span.lowerBound, Double(limit)), (frame.span.upperBound, Double(limit))], "limit")
        }
        let lines: [(name: String, style: HTML, quantile: Double)] = [
            ("max", "line max", 1), ("p99", "line p99", 0.99), ("p95", "line p95", 0.95), ("p50", "line p50", 0.5),
        ]
        for line in lines {
            drawing.line(
                histograms.indices.map { index in
                    (middle(index), histograms[index].nanoseconds(atQuantile: line.quantile).map(Double.init))
                }, line.style)
        }
        var whole = CoarseHistogram()
        for histogram in histograms { whole.merge(histogram) }
        let limits = limit.map {
            [ChartRow.LegendEntry(style: "limit", label: "timeout \(Self.words($0))", isFilled: false)]
        }
        return ChartRow(
            title: title, unit: unit,
            legend: lines.map { .init(style: $0.style, label: $0.name, isFilled: false) } + (limits ?? []),
            scale: scale,
            tickLabel: { TimeText.words(seconds: $0 / 1e9) }, marks: drawing.svg,
            summary:
                "Over the run: median \(Self.words(whole.nanoseconds(atQuantile: 0.5))), p99 \(Self.words(whole.nanoseconds(atQuantile: 0.99))), at most \(Self.words(highest)).",
            columns: columns { bucket, _ in
                let histogram = histogram(bucket)
                return lines.reversed().map {
                    "\($0.name) \(Self.words(histogram.nanoseconds(atQuantile: $0.quantile)))"
                }
                    + ["\(NumberText.count(Int(histogram.count))) measured"]
            })
    }

    /// How many operations took how long: the darker, the more.
    var heatMap: ChartRow? {
        let histograms = buckets.map(\.latency)
        let used = histograms.flatMap { histogram in histogram.counts.indices.filter { histogram.counts[$0] > 0 } }
        guard let lowest = used.min(), let highest = used.max() else { return nil }
        let range =
            Double(CoarseHistogram.range(of: lowest).lowerBound)..<Double(CoarseHistogram.range(of: highest).upperBound)
        let scale = Scale(logarithmic: NiceTicks.logarithmic(from: range.lowerBound, to: range.upperBound), height: 132)
        let cells = HeatMap(histograms, scale: scale)
        let marks = cells.svg(in: frame, spans: buckets.indices.map(span))
        return ChartRow(
            title: "Latency heat map", unit: "count by duration, log scale",
            legend: cells.legend, scale: scale, tickLabel: { TimeText.words(seconds: $0 / 1e9) }, marks: marks,
            summary: "The same latencies as above; a darker cell holds more operations.",
            columns: columns { bucket, _ in
                cells.words(bucket.latency)
            })
    }
}
