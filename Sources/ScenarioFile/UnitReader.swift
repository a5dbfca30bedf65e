import RigModel

/// Reads values whose unit is part of them: `2s`, `500/s`, `90%`. Pure.
package enum UnitReader {
    /// A microsecond is also written with the micro sign (U+00B5) and with the Greek letter (U+03BC).
    static let secondsPerUnit: [(unit: String, seconds: Double)] = [
        ("us", 1e-6), ("µs", 1e-6), ("μs", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("min", 60), ("h", 3_600),
        ("d", 86_400),
    ]

    static let secondsPerRateUnit: [(unit: String, seconds: Double)] = [
        ("/s", 1), ("/m", 60), ("/min", 60), ("/h", 3_600),
    ]

    /// As YAML 1.1 writes them: `yes`, `Yes` and `YES`.
    static let flags: [(word: String, value: Bool)] = [
        ("true", true), ("yes", true), ("on", true), ("false", false), ("no", false), ("off", false),
    ].flatMap { word, value in
        [word, word.prefix(1).uppercased() + word.dropFirst(), word.uppercased()].map { ($0, value) }
    }

    static let bytesPerUnit: [(unit: String, bytes: Double)] = [
        ("B/s", 1), ("KB/s", 1e3), ("kB/s", 1e3), ("MB/s", 1e6), ("GB/s", 1e9), ("KiB/s", 1024), ("MiB/s", 1_048_576),
    ]

    /// Reads a text as one of the types; the first one that takes it wins.
    static func read(_ text: String, as types: [ParameterType]) -> ParameterValue? {
        for type in types { if let value = read(text, as: type) { return value } }
        return nil
    }

    private static func read(_ text: String, as type: ParameterType) -> ParameterValue? {
        switch type {
        case .duration: duration(text).map { .duration($0) }
        case .count: count(text).map { .count($0) }
        case .share: share(text).map { .share($0) }
        case .rate: rate(text).map { .rate(perSecond: $0) }
        case .dataRate: dataRate(text).map { .dataRate(bytesPerSecond: $0) }
        case .flag: flag(text).map { .flag($0) }
        case .choice(let choices): choices.contains(text) ? .choice(text) : nil
        case .text: .text(text)
        }
    }

    /// `250us`, `100ms`, `1.5s`, `5m`, `1h`, `1d`; up to ten years.
    package static func duration(_ text: String) -> Duration? {
        guard let seconds = seconds(text), seconds < longest else { return nil }
        return .nanoseconds(Int64((seconds * 1e9).rounded()))
    }

    /// Ten years.
    private static let longest = 3.2e8

    /// The text is a duration, but one that nothing here can hold.
    static func isTooLong(_ text: String) -> Bool { seconds(text).map { $0 >= longest } ?? false }
    static let tooLong = "; that is too long: ten years at most (3650d)"

    private static func seconds(_ text: String) -> Double? {
        guard let (number, unit) = split(text), let scale = secondsPerUnit.first(where: { $0.unit == unit }) else {
            return nil
        }
        return number * scale.seconds
    }

    static func count(_ text: String) -> Int? {
        guard !text.isEmpty,
            text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: "_") })
        else { return nil }
        return Int(text.replacing("_", with: ""))
    }

    /// `90%`, or a number from 0 to 1.
    static func share(_ text: String) -> Double? {
        guard let (number, unit) = split(text) else { return nil }
        switch unit {
        case "%": return number <= 100 ? number / 100 : nil
        case "": return number <= 1 ? number : nil
        default: return nil
        }
    }

    /// `500/s`, `30/min`.
    static func rate(_ text: String) -> Double? {
        guard let (number, unit) = split(text), let scale = secondsPerRateUnit.first(where: { $0.unit == unit }) else {
            return nil
        }
        return number / scale.seconds
    }

    /// `500B/s`, `100KB/s`, `1.5MB/s`, `64KiB/s`.
    static func dataRate(_ text: String) -> Double? {
        guard let (number, unit) = split(text), let scale = bytesPerUnit.first(where: { $0.unit == unit }) else {
            return nil
        }
        return number * scale.bytes
    }

    static func number(_ text: String) -> Double? {
        guard let (number, unit) = split(text), unit.isEmpty else { return nil }
        return number
    }

    private static func flag(_ text: String) -> Bool? { flags.first { $0.word == text }?.value }

    /// A number that is not negative, and what stands behind it.
    private static func split(_ text: String) -> (Double, String)? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "." || $0 == "_") }
        guard digits.contains(where: \.isNumber), let number = Double(digits.replacing("_", with: "")), number.isFinite
        else { return nil }
        return (number, text.dropFirst(digits.count).trimmingPrefix(while: { $0 == " " }).description)
    }

    /// What is expected, in words for an error.
    static func expectation(_ types: [ParameterType]) -> String {
        types.map { type in
            switch type {
            case .duration: "a duration like 2s or 100ms"
            case .count: "a whole number"
            case .share: "a share like 90% or 0.9"
            case .rate: "a rate like 500/s"
            case .dataRate: "a data rate like 100KB/s"
            case .flag: "true or false"
            case .choice(let choices): "one of \(choices.joined(separator: ", "))"
            case .text: "text"
            }
        }.joined(separator: ", or ")
    }
}

extension ParameterValue {
    /// As it is written in a scenario file.
    package var text: String {
        switch self {
        case .duration(let value): Self.text(of: value)
        case .count(let value): "\(value)"
        case .share(let value): Self.text(of: value * 100) + "%"
        case .rate(let value): Self.text(of: value) + "/s"
        case .dataRate(let value): Self.text(ofBytesPerSecond: value)
        case .flag(let value): "\(value)"
        case .choice(let value), .text(let value): value
        case .thresholds(let bounds): bounds.map(Self.text(of:)).joined(separator: ", ")
        }
    }

    private static func text(of bound: Threshold) -> String {
        let limit =
            switch bound.measure {
            case .latency: text(of: Duration.nanoseconds(Int64(bound.limit)))
            case .errors: text(of: bound.limit * 100) + "%"
            case .throughput: text(of: bound.limit) + "/s"
            }
        return "\(bound.comparison.rawValue) \(limit)\(bound.scope.words)"
    }

    private static func text(ofBytesPerSecond rate: Double) -> String {
        for unit in ["GB/s", "MB/s", "KB/s"] {
            guard let scale = UnitReader.bytesPerUnit.first(where: { $0.unit == unit })?.bytes else { continue }
            if rate >= scale { return text(of: rate / scale) + unit }
        }
        return text(of: rate) + "B/s"
    }

    /// The largest unit that says it exactly.
    package static func text(of duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
        if nanoseconds == 0 { return "0s" }
        for (unit, scale) in [
            ("h", Int64(3_600_000_000_000)), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000),
        ]
        where nanoseconds % scale == 0 {
            return "\(nanoseconds / scale)\(unit)"
        }
        return text(of: Double(nanoseconds) / 1_000) + "us"
    }

    static func text(of number: Double) -> String {
        let rounded = (number * 1e6).rounded() / 1e6
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int64(rounded))" : "\(rounded)"
    }
}
