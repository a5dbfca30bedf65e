import RigModel

/// The plots as a table of at most sixty rows, for who cannot see them.
struct NumbersTable: Sendable {
    private static let rowLimit = 60
    /// Of one row.
    private static let faultLimit = 6

    private let picture: RunPicture

    init(_ timeLine: TimeLine) { picture = timeLine.picture }

    var html: HTML {
        let series = picture.series.coarsened(to: Self.rowLimit)
        let rows = series.buckets.enumerated().map { index, bucket -> [HTML] in
            let span = series.span(of: index)
            let length = min(span.upperBound, picture.duration) - span.lowerBound
            // The last step ends with the run, and may be next to nothing: a rate over it says nothing.
            let isLongEnough = length >= max(series.width / 10, 1)
            let seconds = Double(max(length, 1)) / 1e9
            func gauge(_ gauge: Gauge) -> HTML { "\(bucket[gauge].mean.map(NumberText.short) ?? "-")" }
            func words(_ histogram: CoarseHistogram, _ quantile: Double) -> HTML {
                "\(TimeLine.words(histogram.nanoseconds(atQuantile: quantile)))"
            }
            let outcomes = bucket.outcomes
            return [
                "\(NumberText.clock(span.lowerBound))",
                "\(isLongEnough ? NumberText.short(Double(outcomes.ok) / seconds) : "-")",
                "\(outcomes.fail)",
                "\(outcomes.info)", words(bucket.latency, 0.5), words(bucket.latency, 0.99),
                words(bucket.acquire, 0.99),
                gauge(.open), gauge(.inUse), "\(bucket[.waiting].greatest.map(NumberText.short) ?? "-")",
                gauge(.sessions),
                gauge(.sockets), "\(faults(in: span))",
            ]
        }
        let names = [
            "ok/s", "fail", "info", "p50", "p99", "acquire p99", "open", "in use", "waiting", "sessions", "sockets",
        ]
        let table = Table(
            caption: "The run in steps of \(TimeText.words(nanoseconds: series.width))",
            columns: [.init(name: "From")] + names.map { .init(name: $0, isNumber: true) } + [.init(name: "Faults")],
            rows: rows
        ).html
        return "<details><summary>The same as a table</summary>\(table)</details>\n"
    }

    private func faults(in span: Range<Int64>) -> String {
        let active = picture.timeline.injections.filter { injection in
            guard let inject = injection.inject else { return false }
            return inject.time < span.upperBound && injection.heal?.time ?? .max >= span.lowerBound
        }
        let rest = active.count - Self.faultLimit
        return (active.prefix(Self.faultLimit).map { "#\($0.number)" } + (rest > 0 ? ["and \(rest) more"] : [])).joined(
            separator: " ")
    }
}
