/// One `--set path=value`: changes the tree before it is read, so that the same rules hold for it. Pure.
struct ScenarioOverride {
    private enum Step {
        case key(String)
        case index(Int)
    }

    private let text: String
    private let steps: [Step]
    private let value: YAMLNode

    private var position: SourcePosition { SourcePosition(line: 1, column: 1, override: text) }

    /// - Parameter text: `faults.0.restart.down-for=60s` or `faults[0].at=1s`; the value is YAML, empty means null.
    init(_ text: String) throws(YAMLProblem) {
        self.text = text
        func bad(_ message: String) -> YAMLProblem {
            YAMLProblem(
                problem: ScenarioProblem(
                    position: SourcePosition(line: 1, column: 1, override: text), message: message))
        }
        guard let equals = text.firstIndex(of: "=") else {
            throw bad("path=value was expected, for example pool.max-open=5")
        }
        let path = text[..<equals].replacing("[", with: ".").replacing("]", with: "")
        let words = path.split(separator: ".", omittingEmptySubsequences: false)
        guard words.allSatisfy({ !$0.isEmpty }) else {
            throw bad("a path like pool.max-open was expected before the =")
        }
        steps = words.map { word in Int(word).map { .index($0) } ?? .key(String(word)) }
        let source = Array(text[text.index(after: equals)...].utf8)
        if source.allSatisfy({ $0 == UInt8(ascii: " ") }) {
            value = YAMLNode(
                content: .scalar("", isPlain: true), position: SourcePosition(line: 1, column: 1, override: text))
        } else {
            value = try YAMLParser.parse(source, override: text)
        }
    }

    func apply(to root: YAMLNode) throws(YAMLProblem) -> YAMLNode { try replace(root, steps[...]) }

    private func replace(_ node: YAMLNode?, _ steps: ArraySlice<Step>) throws(YAMLProblem) -> YAMLNode {
        guard let step = steps.first else { return value }
        let rest = steps.dropFirst()
        switch step {
        case .key(let key):
            var entries: [YAMLNode.Entry] = []
            if let node, case .mapping(let existing) = node.content { entries = existing }
            if let node, case .sequence = node.content {
                throw problem("\"\(key)\" names a key, but there is a list; use a number: 0 is its first item")
            }
            if let found = entries.firstIndex(where: { $0.key == key }) {
                entries[found].value = try replace(entries[found].value, rest)
            } else {
                entries.append(
                    YAMLNode.Entry(key: key, keyPosition: position, value: try replace(nil, rest)))
            }
            return YAMLNode(content: .mapping(entries), position: node?.position ?? position)
        case .index(let index):
            var items: [YAMLNode] = []
            if let node, case .sequence(let existing) = node.content {
                items = existing
            } else if let node, !node.isNull {
                throw problem("\(index) counts items of a list, but there is \(node.kindInWords)")
            }
            guard index <= items.count else {
                throw problem("there is no item \(index): the list has \(items.count), counted from 0")
            }
            if index == items.count {
                items.append(try replace(nil, rest))
            } else {
                items[index] = try replace(items[index], rest)
            }
            return YAMLNode(content: .sequence(items), position: node?.position ?? position)
        }
    }

    private func problem(_ message: String) -> YAMLProblem {
        YAMLProblem(problem: ScenarioProblem(position: position, message: message))
    }
}
