import RigModel

/// A stretch of the run as the width of a plot. Positions are shares of the width, so that every plot of a page has the same axis at
/// whatever width the page is shown.
struct TimeFrame: Sendable {
    /// Nanoseconds since the run's start.
    let span: Range<Int64>
    /// Units of the drawing across the whole width.
    static let units = 4000.0

    private func share(_ time: Int64) -> Double {
        let length = Double(max(span.upperBound - span.lowerBound, 1))
        return min(max(Double(time - span.lowerBound) / length, 0), 1)
    }

    /// `12.345%`.
    func percent(_ time: Int64) -> HTML { HTML(trusted: "\(Self.number(share(time) * 100))%") }

    /// Of the distance between two times.
    func percent(from begin: Int64, to end: Int64) -> HTML {
        HTML(trusted: "\(Self.number(max(share(end) - share(begin), 0) * 100))%")
    }

    /// 0 to 100.
    func position(_ time: Int64) -> Double { share(time) * 100 }

    func x(_ time: Int64) -> Int { Int((share(time) * Self.units).rounded()) }

    private static func number(_ value: Double) -> String {
        let thousandths = Int((value * 1000).rounded())
        var fraction = String(thousandths % 1000)
        fraction = String(repeating: "0", count: 3 - fraction.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        return fraction.isEmpty ? "\(thousandths / 1000)" : "\(thousandths / 1000).\(fraction)"
    }
}
