import RigModel

/// Numbers for people.
enum NumberText {
    /// `1,234,567`.
    static func count(_ number: Int) -> String {
        var digits = String(number.magnitude)
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits = String(digits.dropLast(3))
        }
        groups.insert(digits[...], at: 0)
        return (number < 0 ? "-" : "") + groups.joined(separator: ",")
    }

    /// With so many decimals at most, and no zeros at the end. Numbers that are none: `-`.
    static func decimal(_ number: Double, _ decimals: Int) -> String {
        let scale = [1, 10, 100, 1000, 10_000][min(max(decimals, 0), 4)]
        guard number.isFinite, abs(number) < 1e14 else { return "-" }
        let scaled = Int((number * Double(scale)).rounded())
        let whole = count(scaled / scale)
        var fraction = String(scaled.magnitude % UInt(scale))
        fraction = String(repeating: "0", count: max(0, String(scale).count - 1 - fraction.count)) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        let sign = scaled < 0 && scaled / scale == 0 ? "-" : ""
        return fraction.isEmpty || scale == 1 ? sign + whole : "\(sign)\(whole).\(fraction)"
    }

    /// Three significant digits or all of a large number: `0.25`, `12.3`, `1,234`.
    static func short(_ number: Double) -> String {
        let size = abs(number)
        return decimal(number, size >= 100 ? 0 : size >= 10 ? 1 : 2)
    }

    /// Of a time in the run, in seconds, as a report holds it; what is no time of a history becomes the nearest one.
    static func nanoseconds(_ seconds: Double) -> Int64 {
        let number = (seconds * 1e9).rounded()
        return number.isNaN ? 0 : Int64(min(max(number, 0), 4e18))
    }

    /// Of a time in the run: `12.3 s`, `3:05` from two minutes on.
    static func clock(_ nanoseconds: Int64) -> String {
        let seconds = Double(nanoseconds) / 1e9
        guard seconds >= 120 else { return "\(decimal(seconds, seconds < 10 ? 2 : 1)) s" }
        let whole = Int(seconds)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return whole < 3600
            ? "\(whole / 60):\(two(whole % 60))" : "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
    }

    /// The same to the hundredth of a second: `12.34 s`, `3:05.12`.
    static func precise(_ nanoseconds: Int64) -> String {
        let hundredths = Int(nanoseconds / 10_000_000) + (nanoseconds % 10_000_000 >= 5_000_000 ? 1 : 0)
        guard hundredths >= 12_000 else { return "\(decimal(Double(hundredths) / 100, 2)) s" }
        let rest = hundredths % 100
        return clock(Int64(hundredths / 100) * 1_000_000_000) + (rest < 10 ? ".0\(rest)" : ".\(rest)")
    }
}
