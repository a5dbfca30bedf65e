import RigModel

/// Reads one mapping of the file: takes keys by name, and complains about what is left.
final class SectionReader {
    let name: String
    let position: SourcePosition
    private let entries: [YAMLNode.Entry]
    private var taken: Set<String> = []
    private let log: ProblemLog

    /// - Parameter node: `nil` or null: an empty section. Anything but a mapping is a problem.
    init(_ node: YAMLNode?, name: String, _ log: ProblemLog) {
        self.name = name
        self.log = log
        position = node?.position ?? .wholeFile
        guard let node, !node.isNull else {
            entries = []
            return
        }
        guard case .mapping(let entries) = node.content else {
            log.add(node.position, "\(name): a mapping (key: value) was expected, not \(node.kindInWords)")
            self.entries = []
            return
        }
        self.entries = entries
    }

    var keys: [String] { entries.map(\.key) }

    func node(_ key: String) -> YAMLNode? {
        taken.insert(key)
        return entries.first { $0.key == key }?.value
    }

    func keyPosition(_ key: String) -> SourcePosition { entries.first { $0.key == key }?.keyPosition ?? position }

    /// The value's place, for a complaint about it.
    func position(_ key: String) -> SourcePosition { entries.first { $0.key == key }?.value.position ?? position }

    /// The value as one of these types; `nil` when it is absent or wrong (then the log knows).
    func value(_ key: String, _ types: ParameterType...) -> ParameterValue? {
        guard let node = node(key) else { return nil }
        return Self.value(of: node, key: key, types, log)
    }

    func duration(_ key: String, into target: inout Duration) {
        if let value = value(key, .duration)?.durationValue { target = value }
    }
    func duration(_ key: String, into target: inout Duration?) {
        if let value = value(key, .duration)?.durationValue { target = value }
    }
    func count(_ key: String, into target: inout Int) {
        if let value = value(key, .count)?.countValue { target = value }
    }
    func count(_ key: String, into target: inout Int?) {
        if let value = value(key, .count)?.countValue { target = value }
    }
    func flag(_ key: String, into target: inout Bool) {
        if let flag = value(key, .flag)?.flagValue { target = flag }
    }
    func share(_ key: String, into target: inout Double) {
        if let value = value(key, .share)?.shareValue { target = value }
    }

    /// One word of those that the type has.
    func choice<Choice>(_ key: String, into target: inout Choice)
    where Choice: RawRepresentable<String> & CaseIterable {
        let words = Choice.allCases.map(\.rawValue)
        if let choice = value(key, .choice(words))?.choiceValue.flatMap(Choice.init) { target = choice }
    }

    /// Complains about every key that nobody took, with the nearest one that exists here.
    func finish(also known: [String] = []) {
        let names = taken.union(known)
        for entry in entries where !names.contains(entry.key) {
            let near = NearestName.of(entry.key, in: names.sorted())
            let hint = near.map { "did you mean \"\($0)\"?" } ?? "known here: \(names.sorted().joined(separator: ", "))"
            log.add(entry.keyPosition, "unknown key \"\(entry.key)\" in \(name); \(hint)")
        }
    }

    static func value(
        of node: YAMLNode, key: String, _ types: [ParameterType], _ log: ProblemLog
    ) -> ParameterValue? {
        guard case .scalar(let text, _) = node.content, !node.isNull else {
            log.add(node.position, "\(key): \(UnitReader.expectation(types)) was expected, not \(node.kindInWords)")
            return nil
        }
        if let value = UnitReader.read(text, as: types) { return value }
        log.add(
            node.position,
            "\(key): \(UnitReader.expectation(types)) was expected, not \"\(text)\"\(hint(text, types))")
        return nil
    }

    private static func hint(_ text: String, _ types: [ParameterType]) -> String {
        if UnitReader.number(text) != nil {
            if types.contains(.duration) { return "; a unit is missing: \(text)s or \(text)ms?" }
            if types.contains(.rate) { return "; a unit is missing: \(text)/s?" }
        }
        for case .choice(let choices) in types {
            if let near = NearestName.of(text, in: choices) { return "; did you mean \"\(near)\"?" }
        }
        return ""
    }
}
