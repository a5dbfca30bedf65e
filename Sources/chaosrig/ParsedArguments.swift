import RigModel

/// Arguments that cannot be understood; what was expected.
struct UsageError: Error {
    let message: String
    init(_ message: String) { self.message = message }
}

/// The words behind a command: `--name value`, `--name=value`, `--switch`, and everything else in order. After `--`
/// nothing is an option.
struct ParsedArguments: Sendable {
    private(set) var positional: [String] = []
    /// The last of them, which stood behind `--`.
    private(set) var behindDashes: [String] = []
    private var values: [String: [String]] = [:]

    init(_ arguments: [String], _ options: [OptionSpec]) throws(UsageError) {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if word == "--" {
                positional += rest
                behindDashes = Array(rest)
                return
            }
            guard word.hasPrefix("-"), word != "-", Int(word) == nil else {
                positional.append(word)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let option = options.first(where: { $0.name == parts[0] }) else {
                let near = NearestName.of(parts[0], in: options.map(\.name)).map { " Did you mean \($0)?" } ?? ""
                throw UsageError("there is no option \(parts[0]).\(near)")
            }
            if values[option.name] != nil, !option.isRepeatable {
                throw UsageError("\(option.name) was given twice")
            }
            guard let placeholder = option.value else {
                guard parts.count == 1 else { throw UsageError("\(option.name) takes no value") }
                values[option.name] = []
                continue
            }
            guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                throw UsageError("\(option.name) needs a value: \(option.name) \(placeholder)")
            }
            if value.isEmpty, let path = option.kind.path {
                throw UsageError("\(option.name): the name of \(path) was expected, and it is empty\(Self.unset)")
            }
            values[option.name, default: []].append(value)
        }
    }

    /// - Parameter operands: what the words are that are no options.
    /// - Throws: ``UsageError`` for a word that names no file although it should.
    func refuseEmpty(_ operands: ValueKind) throws(UsageError) {
        guard let path = operands.path, positional.contains("") else { return }
        throw UsageError("the name of \(path) was expected, and it is empty\(Self.unset)")
    }

    /// How an empty word comes about.
    private static let unset = "; is a variable of the shell not set?"

    func has(_ name: String) -> Bool { values[name] != nil }
    func value(_ name: String) -> String? { values[name]?.first }
    func list(_ name: String) -> [String] { values[name] ?? [] }

    /// `nil` without the option.
    func number(_ name: String, _ range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = value(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError(
                "\(name) takes a whole number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return number
    }

    /// Seeds stay below 2⁵³, so that readers that keep numbers as doubles can give them back.
    func seed() throws(UsageError) -> UInt64? { try number("--seed", 0...(1 << 53)).map(UInt64.init) }
}
