extension Collection<Double> {
    /// The middle value, or the mean of the two in the middle; `nil` of nothing.
    func median() -> Double? {
        if isEmpty { return nil }
        let sorted = sorted()
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}

extension Double {
    /// Three digits that matter, with k and M: `88.1k`.
    package var short: String {
        let size = abs(self)
        if size >= 999_500 { return (self / 1e6).digits(2) + "M" }
        if size >= 99_950 { return (self / 1e3).digits(0) + "k" }
        if size >= 9_995 { return (self / 1e3).digits(1) + "k" }
        if size >= 99.95 { return digits(0) }
        if size >= 9.995 { return digits(1) }
        return digits(2)
    }

    /// Rounded to so many places, with all of them shown.
    package func digits(_ places: Int) -> String {
        guard isFinite else { return "-" }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let whole = Int64((abs(self) * scale).rounded())
        let sign = self < 0 && whole > 0 ? "-" : ""
        if places == 0 { return sign + "\(whole)" }
        let fraction = String(whole % Int64(scale))
        return sign + "\(whole / Int64(scale))."
            + String(repeating: "0", count: places - fraction.count) + fraction
    }
}
