import RigModel

extension CutRule {
    /// Reads a rule in words, with the keys of ``init(json:)``:
    ///
    ///     before CommandComplete tag=COMMIT do reset times=3
    ///     inside DataRow bytes=7 do finish
    ///     before Query statement='^update .* accounts' share=0.1 do error 40001
    ///     after Parse do delay 50ms
    ///     lost-commit times=3
    ///
    /// Values with spaces stand in single or double quotes. Behind `do` comes the action, with its main value where it has
    /// one: the SQLSTATE of error, the time of delay, the streams of blackhole, the bytes of truncate.
    package init(words: String) throws(CutRuleError) {
        var members: [JSONValue.Member] = []
        var rest = try CutWords.split(words)[...]
        guard let first = rest.popFirst() else {
            throw CutRuleError("", "nothing is said; for example: before CommandComplete tag=COMMIT do reset")
        }
        if ["before", "after", "inside"].contains(first) {
            members.append(.init("at", .string(first)))
            guard let name = rest.first, !name.contains("="), name != "do" else {
                throw CutRuleError("message", "the name of a message is wanted behind \(first)")
            }
            rest.removeFirst()
            members.append(.init("message", .string(name)))
        } else if first.contains("=") {
            rest = [first] + rest
        } else {
            let presets = CutPreset.all.map(\.name).joined(separator: ", ")
            guard CutPreset.all.contains(where: { $0.name == first }) else {
                throw CutRuleError("at", "\"\(first)\" is none of before, after, inside, and no preset (\(presets))")
            }
            members.append(.init("preset", .string(first)))
        }
        while let word = rest.popFirst() {
            if word == "do" {
                guard let action = rest.popFirst() else { throw CutRuleError("action", "it is missing behind do") }
                members.append(.init("action", .string(action)))
                if let value = rest.first, !value.contains("="), let key = CutWords.mainKey[action] {
                    rest.removeFirst()
                    members.append(.init(key, CutWords.value(value, of: key)))
                }
                continue
            }
            guard let equals = word.firstIndex(of: "="), equals != word.startIndex else {
                throw CutRuleError("", "\"\(word)\" is not understood here: key=value, or do and an action, is wanted")
            }
            let key = String(word[..<equals])
            members.append(.init(key, CutWords.value(String(word[word.index(after: equals)...]), of: key)))
        }
        try self.init(json: .object(members))
    }
}

private enum CutWords {
    static let mainKey = ["error": "sqlstate", "delay": "delay", "blackhole": "streams", "truncate": "bytes"]
    private static let counts: Set = ["bytes", "nth", "every", "times", "seed"]

    /// What is no number stays a text, and the reader of the rule says what it wanted.
    static func value(_ text: String, of key: String) -> JSONValue {
        if counts.contains(key), let number = Int64(text) { return .int(number) }
        if key == "share", let number = Double(text) { return .double(number) }
        if key == "delay", let number = Double(text) { return .double(number) }
        return .string(text)
    }

    static func split(_ text: String) throws(CutRuleError) -> [String] {
        var words: [String] = []
        var word = ""
        var isWord = false
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { word.append(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                isWord = true
            } else if character == " " || character == "\t" || character == "\n" {
                if isWord { words.append(word) }
                word = ""
                isWord = false
            } else {
                word.append(character)
                isWord = true
            }
        }
        if quote != nil { throw CutRuleError("", "a quote is not closed") }
        if isWord { words.append(word) }
        return words
    }
}
