import RigModel

/// Reads `acquire.p99: < 50ms`, `errors: < 1% in phase steady, < 20% in fault restart`. Pure.
struct ThresholdReader {
    /// The kinds of operations and of faults that may be named.
    let operations: [String]
    let faults: [String]
    /// What the scenario has of them; `nil`: not known.
    var scope: ThresholdScope?

    /// Also in words: to YAML a plain `>` begins a block of text, so that it must stand in quotes.
    static let comparisons: [(sign: String, comparison: Threshold.Comparison)] = [
        ("<=", .atMost), (">=", .atLeast), ("<", .below), (">", .above), ("at most", .atMost), ("at least", .atLeast),
        ("below", .below), ("above", .above),
    ]
    static let phases = ["warm-up", "steady", "faults", "settle"]
    /// What is timed beside the kinds of operations; `operation` is any of them.
    static let calls = ["acquire", "query", "release", "operation"]

    // MARK: What is measured

    /// - Parameter name: what is measured: `acquire.p99`, `append.p95`, `operation.max`, `errors`, `append.errors`, `throughput`.
    func measure(_ name: String) throws(ThresholdProblem) -> Threshold.Measure {
        if name == "errors" { return .errors(kind: nil) }
        if name == "throughput" { return .throughput(kind: nil) }
        let words = name.split(separator: ".", maxSplits: 1).map(String.init)
        guard words.count == 2 else {
            throw ThresholdProblem(
                "\(name): nothing is measured under this name; "
                    + hint(name, ["errors", "throughput", "acquire.p99", "operation.p99"]))
        }
        let call = try call(words[0], in: name)
        if let quantile = Threshold.Measure.quantiles.first(where: { $0.name == words[1] }) {
            return .latency(call, quantile: quantile.share)
        }
        if case .operation(let kind) = call {
            if words[1] == "errors" { return .errors(kind: kind) }
            if words[1] == "throughput" { return .throughput(kind: kind) }
        }
        var known = Threshold.Measure.quantiles.map(\.name)
        if case .operation = call { known += ["errors", "throughput"] }
        throw ThresholdProblem("\(name): \"\(words[1])\" of \(words[0]) is not measured; \(hint(words[1], known))")
    }

    private func call(_ word: String, in name: String) throws(ThresholdProblem) -> Threshold.Call {
        switch word {
        case "acquire": return .acquire
        case "query": return .query
        case "release": return .release
        case "operation": return .operation(kind: nil)
        case _ where operations.contains(word):
            if let scope, !scope.operations.contains(word) {
                throw ThresholdProblem(
                    "\(name): there is no \"\(word)\" in workload.mix, so nothing would be measured; it has "
                        + scope.operations.joined(separator: ", "))
            }
            return .operation(kind: word)
        default:
            throw ThresholdProblem(
                "\(name): \"\(word)\" is no call and no kind of operation; "
                    + hint(word, Self.calls + operations))
        }
    }

    // MARK: Its bounds

    /// - Parameter text: bounds, separated by commas, each with a unit and perhaps `in phase NAME` or `in fault KIND` (`any`,
    ///   `none`); also written `{phase: NAME}` and `{fault: KIND}`.
    func bounds(_ text: String, on measure: Threshold.Measure) throws(ThresholdProblem) -> [Threshold] {
        var bounds: [Threshold] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            bounds.append(try bound(Self.trimmed(part), measure))
        }
        if let (one, other) = ThresholdSense.contradiction(bounds) {
            throw ThresholdProblem(
                "\(measure.name): \(one.words) and \(other.words) can never both be met; to bound several places, say where each "
                    + "holds (in phase NAME, in fault KIND)")
        }
        return bounds
    }

    private func bound(_ text: String, _ measure: Threshold.Measure) throws(ThresholdProblem) -> Threshold {
        let name = measure.name
        guard let (sign, comparison) = Self.comparisons.first(where: { text.hasPrefix($0.sign) }) else {
            throw ThresholdProblem(
                "\(name): a bound like \(Self.example(measure)) was expected, not \"\(text)\"; it begins with <, <=, > or >=, "
                    + "or with below, at most, above or at least")
        }
        let rest = Self.trimmed(text.dropFirst(sign.count))
        let (number, place) = Self.split(rest)
        guard let limit = Self.limit(number, of: measure) else {
            var hint = UnitReader.number(number) == nil ? "" : "; a unit is missing"
            if case .latency = measure, UnitReader.isTooLong(number) { hint = UnitReader.tooLong }
            throw ThresholdProblem(
                "\(name): \(Self.expectation(measure)) was expected behind \"\(sign)\", not \"\(number)\"\(hint)")
        }
        if case .errors = measure, limit == 1, UnitReader.number(number) != nil {
            throw ThresholdProblem(
                "\(name): \(sign) \(number) would be a bound of 100%; write \(sign) \(number)% for one in a hundred, or a share "
                    + "below 1")
        }
        let threshold = Threshold(measure, comparison, limit, in: try self.place(place, in: name))
        if let words = ThresholdSense.impossible(threshold, scope) {
            throw ThresholdProblem("\(name): \(sign) \(number) can never be met: \(words)")
        }
        if let words = ThresholdSense.idle(threshold) {
            throw ThresholdProblem("\(name): \(sign) \(number) is always met: \(words); it would check nothing")
        }
        return threshold
    }

    private static func limit(_ text: String, of measure: Threshold.Measure) -> Double? {
        switch measure {
        case .latency:
            UnitReader.duration(text).map { duration in
                let (seconds, attoseconds) = duration.components
                return Double(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
            }
        case .errors: UnitReader.share(text)
        case .throughput: UnitReader.rate(text)
        }
    }

    /// The limit, and what stands behind it: from ` in ` or `{` on.
    private static func split(_ text: String) -> (String, String) {
        let place = text.firstRange(of: " in ")?.lowerBound ?? text.firstIndex(of: "{") ?? text.endIndex
        return (trimmed(text[..<place]), trimmed(text[place...]))
    }

    /// `in phase steady`, `{fault: restart}`; empty for the whole run.
    private func place(_ text: String, in name: String) throws(ThresholdProblem) -> Threshold.Scope {
        if text.isEmpty { return .wholeRun }
        let words =
            text.hasPrefix("{") && text.hasSuffix("}")
            ? text.dropFirst().dropLast().split(separator: ":", maxSplits: 1).map { Self.trimmed($0) }
            : text.split(separator: " ").dropFirst().map(String.init)
        guard words.count == 2, words[0] == "phase" || words[0] == "fault" else {
            throw ThresholdProblem(
                "\(name): \"in phase NAME\" or \"in fault KIND\" was expected behind the limit, not \"\(text)\"")
        }
        if words[0] == "phase" {
            guard Self.phases.contains(words[1]) else {
                throw ThresholdProblem("\(name): there is no phase \"\(words[1])\"; \(hint(words[1], Self.phases))")
            }
            if let scope, !scope.phases.contains(words[1]) {
                throw ThresholdProblem("\(name): phases.\(words[1]) is 0s: nothing would be measured there")
            }
            return .phase(words[1])
        }
        switch words[1] {
        case "any":
            if let scope, scope.faults.isEmpty { throw ThresholdProblem("\(name): the scenario has no faults") }
            return .fault(kind: nil)
        case "none": return .outsideFaults
        case let kind where faults.contains(kind):
            if let scope, !scope.faults.contains(kind) {
                let known = scope.faults.isEmpty ? "none" : scope.faults.joined(separator: ", ")
                throw ThresholdProblem("\(name): there is no \"\(kind)\" among the scenario's faults; it has \(known)")
            }
            return .fault(kind: kind)
        default:
            throw ThresholdProblem(
                "\(name): there is no fault \"\(words[1])\"; \(hint(words[1], ["any", "none"] + faults))")
        }
    }

    // MARK: Words

    private static func expectation(_ measure: Threshold.Measure) -> String {
        switch measure {
        case .latency: UnitReader.expectation([.duration])
        case .errors: UnitReader.expectation([.share])
        case .throughput: UnitReader.expectation([.rate])
        }
    }

    private static func example(_ measure: Threshold.Measure) -> String {
        switch measure {
        case .latency: "< 50ms"
        case .errors: "< 1%"
        case .throughput: "above 200/s"
        }
    }

    private func hint(_ word: String, _ known: [String]) -> String {
        NearestName.of(word, in: known).map { "did you mean \"\($0)\"?" }
            ?? "known here: \(known.joined(separator: ", "))"
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

/// Why a threshold cannot be read: what was expected, what was seen, and what may be meant.
struct ThresholdProblem: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
