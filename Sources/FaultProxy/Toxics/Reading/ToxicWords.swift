import RigModel

/// A toxic as it is written on a command line: `TYPE[@upstream|@downstream][~TOXICITY][:KEY=VALUE,…]`, for example
/// `slicer@upstream~50%:average_size=64,delay=500us`.
///
/// For the first attribute of a type there is a short form: `latency=50ms,jitter=10ms`, `bandwidth~10%=100KB/s`. Numbers
/// may have a unit (`50ms`, `2s`, `64KiB`, `100KB/s`, `90%`); without one they count in the unit of the attribute. Names may
/// be written with `-` instead of `_`.
package struct ToxicWords: Sendable {
    package let type: ToxicType
    /// Downstream where nothing is said, as in Toxiproxy.
    package private(set) var stream = ProxyStream.downstream
    /// 1 where nothing is said.
    package private(set) var toxicity = 1.0
    package private(set) var toxic: any Toxic

    /// - Throws: ``ToxicWordsError`` with the place.
    package init(_ words: String) throws(ToxicWordsError) {
        var reader = ToxicWordsReader(words)
        type = try reader.type()
        toxic = type.make(type.standardAttributes)
        var seen: Set<Character> = []
        while let mark = reader.takeMark("@~") {
            guard seen.insert(mark).inserted else {
                throw reader.error("at most one \"\(mark)\"", saw: "another one", back: 1)
            }
            if mark == "@" { stream = try reader.stream() } else { toxicity = try reader.toxicity() }
        }
        toxic = type.make(try reader.attributes(of: type))
    }
}

/// Takes the words from left to right.
private struct ToxicWordsReader {
    private let words: String
    private var rest: Substring
    private static let marks: Set<Character> = ["@", "~", ":", "=", ","]

    init(_ words: String) {
        self.words = words
        rest = words[...]
    }

    mutating func type() throws(ToxicWordsError) -> ToxicType {
        let name = word()
        let known = name.replacing("-", with: "_")
        guard let type = ToxicCatalogue.type(named: known) else {
            let names = ToxicCatalogue.types.map(\.name).joined(separator: ", ")
            throw error(
                "a toxic: \(names)", saw: quoted(name), back: name.count, nearest: ToxicCatalogue.nearest(to: known))
        }
        return type
    }

    mutating func takeMark(_ marks: String) -> Character? {
        guard let first = rest.first, marks.contains(first) else { return nil }
        return rest.removeFirst()
    }

    mutating func stream() throws(ToxicWordsError) -> ProxyStream {
        let name = word()
        guard let stream = ProxyStream(rawValue: name.lowercased()) else {
            let names = ProxyStream.allCases.map(\.rawValue)
            throw error(
                names.joined(separator: " or "), saw: quoted(name), back: name.count,
                nearest: NearestName.of(name, in: names))
        }
        return stream
    }

    mutating func toxicity() throws(ToxicWordsError) -> Double {
        let text = word()
        guard case .double(let share)? = UnitText.number(text, in: .share, isWhole: false), 0...1 ~= share else {
            throw error(
                "a share of the connections such as 0.5 or 50%", saw: quoted(text), back: text.count)
        }
        return share
    }

    mutating func attributes(of type: ToxicType) throws(ToxicWordsError) -> ToxicAttributes {
        var members: [JSONValue.Member] = []
        switch rest.first {
        case nil: return type.standardAttributes
        case ":"?: rest.removeFirst()
        case "="?:
            guard let first = type.attributes.first else {
                throw error("the end: \(type.name) has no attributes", saw: quoted(String(rest)))
            }
            rest.removeFirst()
            members.append(JSONValue.Member(first.name, try value(of: first)))
            if rest.isEmpty { return try merged(members, type) }
            try comma()
        case let mark?: throw error("\":\", \"=\" or the end", saw: quoted(String(mark)))
        }
        while true {
            let attribute = try key(of: type, members.map(\.key))
            guard takeMark("=") != nil else { throw error("\"=\" and a value for \(attribute.name)", saw: next) }
            members.append(JSONValue.Member(attribute.name, try value(of: attribute)))
            if rest.isEmpty { return try merged(members, type) }
            try comma()
        }
    }

    private mutating func comma() throws(ToxicWordsError) {
        guard takeMark(",") != nil else { throw error("\",\" or the end", saw: next) }
    }

    private mutating func key(of type: ToxicType, _ taken: [String]) throws(ToxicWordsError) -> ToxicAttribute {
        let name = word()
        let known = name.lowercased().replacing("-", with: "_")
        let names = type.attributes.map(\.name)
        guard let attribute = type.attributes.first(where: { $0.name == known }) else {
            throw error(
                names.isEmpty
                    ? "nothing: \(type.name) has no attributes"
                    : "an attribute of \(type.name): \(names.joined(separator: ", "))",
                saw: name.isEmpty ? next : quoted(name), back: name.count, nearest: NearestName.of(known, in: names))
        }
        if taken.contains(attribute.name) {
            throw error("every attribute once", saw: "\(attribute.name) again", back: name.count)
        }
        return attribute
    }

    private mutating func value(of attribute: ToxicAttribute) throws(ToxicWordsError) -> JSONValue {
        let text = word()
        let value: JSONValue? =
            switch attribute.kind {
            case .choice: .string(text)
            case .integer: UnitText.number(text, in: attribute.unit, isWhole: true)
            case .real: UnitText.number(text, in: attribute.unit, isWhole: false)
            }
        if let value, let accepted = try? attribute.accept(value) { return accepted }
        let unit = UnitText.example(of: attribute.unit).map { ", such as \($0)" } ?? ""
        throw error(
            "for \(attribute.name) \(attribute.expectation)\(UnitText.name(of: attribute.unit))\(unit)",
            saw: text.isEmpty ? next : quoted(text), back: text.count)
    }

    private func merged(_ members: [JSONValue.Member], _ type: ToxicType) throws(ToxicWordsError) -> ToxicAttributes {
        do {
            return try type.standardAttributes.merged(with: .object(members), of: type)
        } catch {
            throw self.error(error.expected, saw: error.seen)
        }
    }

    /// Everything up to the next mark.
    private mutating func word() -> String {
        let word = rest.prefix { !Self.marks.contains($0) }
        rest = rest.dropFirst(word.count)
        return String(word)
    }

    private var next: String { rest.first.map { quoted(String($0)) } ?? "the end" }

    private func quoted(_ text: String) -> String {
        text.isEmpty ? next : "\"\(text.count > 60 ? text.prefix(40) + "…" : text)\""
    }

    /// - Parameter back: how many characters in front of the present place the mistake begins.
    func error(_ expected: String, saw seen: String, back: Int = 0, nearest: String? = nil) -> ToxicWordsError {
        ToxicWordsError(
            words: words, offset: words.count - rest.count - back, expected: expected, seen: seen, nearest: nearest)
    }
}
