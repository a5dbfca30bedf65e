/// Durations as a person writes them: `2 s`, `1.25 s`, `250 ms`, `41.3 µs`, `1 min 5 s`.
public enum TimeText {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("ns", 1), ("µs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
    ]

    /// Three significant digits, rounded half up, without trailing zeros; minutes and hours as two whole numbers.
    public static func words(nanoseconds: Int64) -> String {
        if nanoseconds < 0 { return "-" + words(nanoseconds: nanoseconds == .min ? .max : -nanoseconds) }
        if nanoseconds >= 59_950_000_000 { return long(seconds: (nanoseconds - 500_000_000) / 1_000_000_000 + 1) }
        for (position, unit) in units.enumerated() {
            let digits = significant(nanoseconds, unit.nanoseconds)
            if digits != "1000" || position == units.count - 1 { return "\(digits) \(unit.name)" }
        }
        return "\(nanoseconds) ns"
    }

    /// The same for seconds, as reports hold them.
    public static func words(seconds: Double) -> String {
        words(nanoseconds: Int64(clamping: Int128(exactly: (seconds * 1e9).rounded()) ?? 0))
    }

    private static func long(seconds: Int64) -> String {
        func pair(_ big: Int64, _ bigName: String, _ small: Int64, _ smallName: String) -> String {
            small == 0 ? "\(big) \(bigName)" : "\(big) \(bigName) \(small) \(smallName)"
        }
        if seconds < 3600 { return pair(seconds / 60, "min", seconds % 60, "s") }
        return pair(seconds / 3600, "h", seconds % 3600 / 60, "min")
    }

    /// `value / unit` in at most three digits; `1000` when it belongs to the next unit.
    private static func significant(_ value: Int64, _ unit: Int64) -> String {
        if value >= unit * 1000 { return "1000" }
        let decimals = unit == 1 || value >= unit * 100 ? 0 : value >= unit * 10 ? 1 : 2
        let scale: Int64 = [1, 10, 100][decimals]
        let scaled = (value * scale + unit / 2) / unit
        let fraction = scaled % scale
        if fraction == 0 { return "\(scaled / scale)" }
        var text = String(fraction)
        while text.count < decimals { text = "0" + text }
        while text.last == "0" { text.removeLast() }
        return "\(scaled / scale).\(text)"
    }
}
