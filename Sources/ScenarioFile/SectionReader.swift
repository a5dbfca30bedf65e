import RigModel

/// Reads one mapping of the file: takes keys by name, and complains about what is left.
final class SectionReader {
    let shape: SectionShape
    var name: String { shape.name }
    let position: SourcePosition
    /// What stands there is a mapping, or nothing. Where it is something else that was said, and nothing more need be missed.
    let isReadable: Bool
    private let entries: [YAMLNode.Entry]
    private var taken: Set<String> = []
    private let log: ProblemLog

    /// - Parameter node: `nil` or null: an empty section. Anything but a mapping is a problem.
    init(_ node: YAMLNode?, _ shape: SectionShape, _ log: ProblemLog) {
        self.shape = shape
        self.log = log
        position = node?.position ?? .wholeFile
        guard let node, !node.isNull else {
            isReadable = true
            entries = []
            return
        }
        guard case .mapping(let entries) = node.content else {
            log.add(node.position, "\(shape.name): a mapping (key: value) was expected, not \(node.kindInWords)")
            isReadable = false
            self.entries = []
            return
        }
        isReadable = true
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

    /// The section behind a key, empty where there is none; `nil` where the key is missing.
    func section(_ key: String) -> SectionReader? {
        node(key).map { SectionReader($0, shape.section(key), log) }
    }

    /// The value as one of the key's types; `nil` when it is absent, wrong or too small (then the log knows).
    func value(_ key: String) -> ParameterValue? {
        let types = shape.types(key)
        guard let node = node(key), let value = Self.value(of: node, key: key, types, log) else { return nil }
        guard let bound = shape[key]?.lowerBound, !bound.admits(value) else { return value }
        log.add(node.position, "\(key): \(bound.words)")
        return nil
    }

    func duration(_ key: String, into target: inout Duration) {
        if let value = value(key)?.durationValue { target = value }
    }
    func duration(_ key: String, into target: inout Duration?) {
        if let value = value(key)?.durationValue { target = value }
    }
    func count(_ key: String, into target: inout Int) {
        if let value = value(key)?.countValue { target = value }
    }
    func count(_ key: String, into target: inout Int?) {
        if let value = value(key)?.countValue { target = value }
    }
    func flag(_ key: String, into target: inout Bool) {
        if let flag = value(key)?.flagValue { target = flag }
    }
    func share(_ key: String, into target: inout Double) {
        if let value = value(key)?.shareValue { target = value }
    }

    /// One word of those that the type has.
    func choice<Choice>(_ key: String, into target: inout Choice)
    where Choice: RawRepresentable<String> {
        if let choice = value(key)?.choiceValue.flatMap(Choice.init) { target = choice }
    }
    func choice<Choice>(_ key: String, into target: inout Choice?) where Choice: RawRepresentable<String> {
        if let choice = value(key)?.choiceValue.flatMap(Choice.init) { target = choice }
    }

    /// Complains about every key that the section does not have, with the nearest one that it has, or with where it belongs.
    func finish(also known: [String] = [], belongs: (_ key: String) -> String? = { _ in nil }) {
        let names = taken.union(shape.keys.map(\.name)).union(known)
        for entry in entries where !names.contains(entry.key) {
            let near = NearestName.of(entry.key, in: names.sorted())
            let hint =
                belongs(entry.key) ?? near.map { "did you mean \"\($0)\"?" }
                ?? "known here: \(names.sorted().joined(separator: ", "))"
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
        if types.contains(.duration), UnitReader.isTooLong(text) { return UnitReader.tooLong }
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
