package import RigModel

extension CutRule {
    /// Every key of the JSON form and of the words.
    package static let keys = [
        "preset", "at", "message", "stream", "bytes", "statement", "tag", "transaction", "application", "user", "nth",
        "every", "times", "share", "seed", "action", "streams", "delay", "manner", "sqlstate", "text", "severity",
    ]

    /// Every name of an action.
    package static let actions = ["reset", "finish", "blackhole", "delay", "truncate", "error"]

    /// Reads a rule.
    ///
    /// For example `{"at": "before", "message": "CommandComplete", "tag": "COMMIT", "action": "reset", "times": 3}`, or
    /// `{"preset": "lost-commit", "times": 3}`, where the other keys change what the preset says. `delay` is a number of
    /// milliseconds, or a text with a unit.
    ///
    /// - Throws: ``CutRuleError`` with the key that is unknown, missing, or has a value that can't be.
    package init(json: JSONValue) throws(CutRuleError) {
        var fields = try CutFields(json)
        if let preset = try fields.text("preset") { try fields.adopt(CutPreset(named: preset)) }
        guard let name = try fields.text("message") else {
            throw CutRuleError("message", "it is missing: the name of a message, for example CommandComplete")
        }
        let message = try WireMessage(named: name)
        let stream: ProxyStream? = try fields.choice("stream")
        let place = try fields.place()
        var match = Match()
        match.statement = try fields.pattern("statement")
        match.tag = try fields.text("tag")
        match.transaction = try fields.choice("transaction")
        match.application = try fields.text("application")
        match.user = try fields.text("user")
        match.nth = try fields.count("nth")
        match.every = try fields.count("every")
        match.times = try fields.count("times")
        match.share = try fields.number("share")
        let action = try fields.action(stream: stream ?? message.stream ?? .downstream)
        let seed = try fields.seed()
        try fields.checkAllUsed()
        try self.init(place, message, stream: stream, match: match, do: action, seed: seed)
    }
}

/// Members of a JSON object as they are used up.
private struct CutFields {
    private var members: [JSONValue.Member]
    private var used: Set<String> = []

    init(_ json: JSONValue) throws(CutRuleError) {
        guard case .object(let members) = json else {
            throw CutRuleError("", "an object is wanted, for example {\"preset\": \"lost-commit\"}")
        }
        var seen: Set<String> = []
        for member in members {
            guard CutRule.keys.contains(member.key) else {
                let nearest = NearestName.of(member.key, in: CutRule.keys)
                throw CutRuleError(
                    member.key,
                    "unknown key"
                        + (nearest.map { "; did you mean \($0)?" } ?? ": \(CutRule.keys.joined(separator: ", "))"))
            }
            guard seen.insert(member.key).inserted else { throw CutRuleError(member.key, "it is there twice") }
        }
        // Clients write null for what they do not set.
        self.members = members.filter { $0.value != .null }
    }

    /// What is not said here is as in the preset; its action goes as a whole.
    mutating func adopt(_ preset: CutPreset) {
        let own = Set(members.map(\.key))
        let actionKeys: Set = ["action", "streams", "delay", "manner", "sqlstate", "text", "severity"]
        for member in preset.members where !own.contains(member.key) {
            if own.contains("action"), actionKeys.contains(member.key) { continue }
            members.append(member)
        }
    }

    private mutating func take(_ key: String) -> JSONValue? {
        used.insert(key)
        return members.first { $0.key == key }?.value
    }

    mutating func text(_ key: String) throws(CutRuleError) -> String? {
        guard let value = take(key) else { return nil }
        guard case .string(let text) = value else {
            throw CutRuleError(key, "a text is wanted, not \(value.compactText)")
        }
        return text
    }

    mutating func choice<C: RawRepresentable & CaseIterable>(
        _ key: String
    ) throws(CutRuleError) -> C? where C.RawValue == String {
        guard let word = try text(key) else { return nil }
        guard let choice = C(rawValue: word) else {
            let all = C.allCases.map(\.rawValue).joined(separator: ", ")
            throw CutRuleError(key, "\"\(word)\" is none of \(all)")
        }
        return choice
    }

    mutating func pattern(_ key: String) throws(CutRuleError) -> StatementPattern? {
        guard let source = try text(key) else { return nil }
        return try StatementPattern(source)
    }

    mutating func count(_ key: String) throws(CutRuleError) -> Int? {
        guard let value = take(key) else { return nil }
        guard case .int(let number) = value else {
            throw CutRuleError(key, "a whole number is wanted, not \(value.compactText)")
        }
        return Int(number)
    }

    mutating func number(_ key: String) throws(CutRuleError) -> Double? {
        guard let value = take(key) else { return nil }
        guard let number = value.doubleValue else {
            throw CutRuleError(key, "a number is wanted, not \(value.compactText)")
        }
        return number
    }

    mutating func seed() throws(CutRuleError) -> UInt64 {
        guard let value = take("seed") else { return 0 }
        if case .int(let number) = value, number >= 0 { return UInt64(number) }
        if case .string(let digits) = value, let number = UInt64(digits) { return number }
        throw CutRuleError("seed", "a whole number from 0 is wanted, not \(value.compactText)")
    }

    mutating func place() throws(CutRuleError) -> CutRule.Place {
        guard let word = try text("at") else {
            throw CutRuleError("at", "it is missing: before, after or inside the message")
        }
        switch word {
        case "before": return .before
        case "after": return .after
        case "inside": return .inside(bytes: try count("bytes"))
        default: throw CutRuleError("at", "\"\(word)\" is none of before, after, inside")
        }
    }

    mutating func action(stream: ProxyStream) throws(CutRuleError) -> CutRule.Action {
        let all = CutRule.actions
        guard let word = try text("action") else {
            throw CutRuleError("action", "it is missing: one of \(all.joined(separator: ", "))")
        }
        switch word {
        case "reset": return .reset
        case "finish": return .finish
        case "blackhole": return .blackhole(try streams() ?? [stream])
        case "delay": return .delay(try delay())
        case "truncate":
            guard used.contains("bytes") == false else {
                throw CutRuleError("action", "truncate goes with before only")
            }
            guard let bytes = try count("bytes") else {
                throw CutRuleError("bytes", "it is missing: how much of the message goes on")
            }
            return .truncate(bytes: bytes, try choice("manner") ?? .finish)
        case "error": return .error(try error())
        default:
            let nearest = NearestName.of(word, in: all)
            throw CutRuleError(
                "action",
                "\"\(word)\" is none of \(all.joined(separator: ", "))"
                    + (nearest.map { "; did you mean \($0)?" } ?? ""))
        }
    }

    private mutating func streams() throws(CutRuleError) -> [ProxyStream]? {
        guard let word = try text("streams") else { return nil }
        if word == "both" { return [.upstream, .downstream] }
        guard let stream = ProxyStream(rawValue: word) else {
            throw CutRuleError("streams", "\"\(word)\" is none of upstream, downstream, both")
        }
        return [stream]
    }

    private mutating func delay() throws(CutRuleError) -> Duration {
        guard let value = take("delay") else { throw CutRuleError("delay", "it is missing, for example \"50ms\"") }
        if let milliseconds = value.doubleValue, abs(milliseconds) < 1e9 {
            return .nanoseconds(Int64(milliseconds * 1e6))
        }
        if case .string(let text) = value, let duration = Self.duration(text) { return duration }
        throw CutRuleError(
            "delay", "\(value.compactText) is no time: milliseconds, or a text like \"250us\", \"50ms\", \"1.5s\"")
    }

    private static func duration(_ text: String) -> Duration? {
        let unit = text.drop { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let number = Double(text[..<unit.startIndex]), number < 1e15 else { return nil }
        let scales = ["ns": 1.0, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9]
        guard let scale = scales[String(unit)], number * scale < 9e18 else { return nil }
        return .nanoseconds(Int64(number * scale))
    }

    private mutating func error() throws(CutRuleError) -> InjectedError {
        let value = take("sqlstate")
        guard let value else { throw CutRuleError("sqlstate", "it is missing, for example \"40001\"") }
        guard case .string(let sqlState) = value else {
            throw CutRuleError("sqlstate", "a text of five characters is wanted, not \(value.compactText)")
        }
        return try InjectedError(sqlState: sqlState, message: text("text"), severity: choice("severity"))
    }

    func checkAllUsed() throws(CutRuleError) {
        guard let member = members.first(where: { !used.contains($0.key) }) else { return }
        let place = member.key == "bytes" ? "inside, or truncate" : "this action"
        throw CutRuleError(member.key, member.key == "bytes" ? "goes only with \(place)" : "goes not with \(place)")
    }
}
