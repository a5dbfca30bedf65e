import RigModel

/// The plots of a run over one shared axis of time.
struct TimeLine: Sendable {
    let picture: RunPicture
    let frame: TimeFrame
    let bands: FaultBands

    init(_ picture: RunPicture) {
        self.picture = picture
        frame = TimeFrame(span: 0..<picture.duration)
        bands = FaultBands(picture.timeline)
    }

    var html: HTML {
        let rows = charts.map { $0.html(in: frame, bands) }
        return """
            <div class="timeline">\(TimeAxis(picture, frame, bands).html)\(rows)\(TimeAxis.ticks(frame, isFoot: true))</div>
            """
    }

    private var charts: [ChartRow] {
        [
            throughput, failures, latency, heatMap, acquire, pool, waiting, connections, books, memory, descriptors,
        ].compactMap { $0 }
    }

    var buckets: [RunBucket] { picture.series.buckets }
    /// Of a bucket, in seconds; the last one ends with the run.
    func seconds(_ index: Int) -> Double {
        let span = span(index)
        return max(Double(span.upperBound - span.lowerBound) / 1e9, 1e-3)
    }

    func span(_ index: Int) -> Range<Int64> {
        let span = picture.series.span(of: index)
        return min(span.lowerBound, picture.duration)..<min(span.upperBound, picture.duration)
    }

    func middle(_ index: Int) -> Int64 {
        let span = span(index)
        return span.lowerBound + (span.upperBound - span.lowerBound) / 2
    }

    /// A value of each bucket at its middle.
    func points(_ value: (RunBucket, Int) -> Double?) -> [Drawing.Point] {
        buckets.indices.map { (middle($0), value(buckets[$0], $0)) }
    }

    /// Of a gauge: a bucket in which nobody looked has the value of the one before, for up to a second or two buckets.
    func gauge(_ gauge: Gauge, _ value: (GaugeSamples) -> Double? = \.mean) -> [Drawing.Point] {
        let patience = max(2, Int(1_000_000_000 / picture.series.width))
        var last: (index: Int, value: Double)?
        return points { bucket, index in
            if let value = value(bucket[gauge]) {
                last = (index, value)
                return value
            }
            if bucket[gauge].missed > 0 { last = nil }
            return last.flatMap { index - $0.index <= patience ? $0.value : nil }
        }
    }

    /// A column for each bucket, with its time in front.
    func columns(_ text: (RunBucket, Int) -> [String]) -> [(span: Range<Int64>, text: String)] {
        buckets.indices.map { index in
            let lines = [NumberText.clock(span(index).lowerBound)] + text(buckets[index], index)
            return (span(index), lines.joined(separator: "\n"))
        }
    }

    static func words(_ nanoseconds: Int64?) -> String { nanoseconds.map { TimeText.words(nanoseconds: $0) } ?? "-" }
}
