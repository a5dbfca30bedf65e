import RigModel

/// Numbers with a unit: `50ms`, `1.5s`, `64KiB`, `10Mbit/s`, `90%`. Pure, and exact: nothing goes through floating point but
/// a share.
enum UnitText {
    /// A number of units as a fraction.
    private struct Scale {
        let numerator: Int128
        let denominator: Int128

        init(_ numerator: Int128, _ denominator: Int128 = 1) {
            self.numerator = numerator
            self.denominator = denominator
        }
    }

    /// Reads a number with the unit or without one, and converts it.
    ///
    /// - Parameter isWhole: what is no whole number of the attribute's unit is refused; but a rate is rounded, since common
    ///   rates such as `1MiB/s` are no whole number of KB/s.
    /// - Returns: an `int` when it must be whole, else a `double`; `nil` when it cannot be read.
    static func number(_ text: String, in unit: ToxicAttribute.Unit, isWhole: Bool) -> JSONValue? {
        var rest = text[...]
        let isNegative = rest.first == "-"
        if isNegative { rest.removeFirst() }
        let digits = rest.prefix { $0.isASCII && ($0.isWholeNumber || $0 == "_") }.filter { $0 != "_" }
        rest = rest.drop { $0.isASCII && ($0.isWholeNumber || $0 == "_") }
        var fraction: Substring = ""
        if rest.first == "." {
            rest.removeFirst()
            fraction = rest.prefix { $0.isASCII && $0.isWholeNumber }
            guard !fraction.isEmpty else { return nil }
            rest = rest.dropFirst(fraction.count)
        }
        // 19 digits are all that a number can have.
        guard !digits.isEmpty, digits.count <= 19, fraction.count <= 9, let scale = scale(String(rest), in: unit),
            let magnitude = Int128(digits + fraction)
        else { return nil }
        let ten = (0..<fraction.count).reduce(Int128(1)) { power, _ in power * 10 }
        let (product, overflow) = magnitude.multipliedReportingOverflow(by: scale.numerator)
        if overflow { return nil }
        let numerator = isNegative ? -product : product
        let denominator = ten * scale.denominator
        guard isWhole else { return .double(Double(numerator) / Double(denominator)) }
        if numerator % denominator == 0 { return Int64(exactly: numerator / denominator).map { .int($0) } }
        guard unit == .kilobytesPerSecond else { return nil }
        return isNegative ? nil : Int64(exactly: (numerator + denominator / 2) / denominator).map { .int(max($0, 1)) }
    }

    private static func scale(_ name: String, in unit: ToxicAttribute.Unit) -> Scale? {
        if name.isEmpty { return Scale(1) }
        switch unit {
        case .milliseconds: return nanoseconds(name).map { Scale($0, 1_000_000) }
        case .microseconds: return nanoseconds(name).map { Scale($0, 1_000) }
        case .bytes: return bytes(name).map { Scale($0) }
        case .kilobytesPerSecond:
            if let bits = bitsPerSecond(name) { return Scale(bits, 8_000) }
            return name.hasSuffix("/s") ? bytes(String(name.dropLast(2))).map { Scale($0, 1_000) } : nil
        case .share: return name == "%" ? Scale(1, 100) : nil
        case .none: return nil
        }
    }

    private static func nanoseconds(_ name: String) -> Int128? {
        switch name {
        case "ns": 1
        case "us", "µs", "μs": 1_000
        case "ms": 1_000_000
        case "s": 1_000_000_000
        case "m", "min": 60_000_000_000
        case "h": 3_600_000_000_000
        default: nil
        }
    }

    private static func bytes(_ name: String) -> Int128? {
        switch name.lowercased() {
        case "b": 1
        case "kb", "k": 1_000
        case "mb": 1_000_000
        case "gb": 1_000_000_000
        case "kib": 1 << 10
        case "mib": 1 << 20
        case "gib": 1 << 30
        default: nil
        }
    }

    private static func bitsPerSecond(_ name: String) -> Int128? {
        switch name {
        case "kbit/s", "kbps": 1_000
        case "Mbit/s", "Mbps": 1_000_000
        case "Gbit/s", "Gbps": 1_000_000_000
        default: nil
        }
    }

    /// The unit of bare numbers, in words for an error.
    static func name(of unit: ToxicAttribute.Unit) -> String {
        switch unit {
        case .milliseconds: " of milliseconds"
        case .microseconds: " of microseconds"
        case .bytes: " of bytes"
        case .kilobytesPerSecond: " of KB/s"
        case .share, .none: ""
        }
    }

    static func example(of unit: ToxicAttribute.Unit) -> String? {
        switch unit {
        case .milliseconds: "50ms or 2s"
        case .microseconds: "500us or 2ms"
        case .bytes: "1000, 64KiB or 1MB"
        case .kilobytesPerSecond: "100KB/s or 8Mbit/s"
        case .share: "0.1 or 10%"
        case .none: nil
        }
    }
}
