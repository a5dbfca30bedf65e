import CYAML

/// Reads YAML by libyaml's events into a tree that knows its places.
///
/// libyaml gives events only; aliases, merges (`<<`) and duplicate keys are dealt with here, with bounds on depth and on
/// what aliases may expand to.
struct YAMLParser {
    static let depthLimit = 64
    static let nodeLimit = 100_000

    /// - Parameter override: the `--set` argument that the text comes from, if any.
    /// - Throws: the first problem.
    static func parse(_ bytes: [UInt8], override: String? = nil) throws(YAMLProblem) -> YAMLNode {
        var parser = YAMLParser(override: override)
        return try parser.run(bytes)
    }

    private let override: String?
    private var anchors: [String: YAMLNode] = [:]
    /// Anchors of the nodes that are being read: an alias to one of them is a cycle.
    private var openAnchors: Set<String> = []
    private var nodes = 0

    private init(override: String?) { self.override = override }

    private mutating func run(_ bytes: [UInt8]) throws(YAMLProblem) -> YAMLNode {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else { throw problem(.wholeFile, "libyaml has no memory") }
        defer { yaml_parser_delete(parser) }
        // libyaml keeps the pointer: the bytes must stay where they are while it reads.
        let input = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(bytes.count, 1))
        defer { input.deallocate() }
        _ = input.update(fromContentsOf: bytes)
        yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)

        var root: YAMLNode?
        while true {
            let event = try next(parser)
            switch event.kind {
            case .streamStart, .documentStart, .documentEnd: continue
            case .streamEnd:
                guard let root else { throw problem(.wholeFile, "the file is empty; a scenario was expected") }
                return root
            default:
                if root != nil {
                    throw problem(event.position, "one document was expected; this begins a second one")
                }
                root = try node(event, parser, depth: 0)
            }
        }
    }

    // MARK: Nodes

    private mutating func node(
        _ event: YAMLEvent, _ parser: UnsafeMutablePointer<yaml_parser_t>, depth: Int
    ) throws(YAMLProblem) -> YAMLNode {
        guard depth < Self.depthLimit else {
            throw problem(event.position, "nested deeper than \(Self.depthLimit) levels")
        }
        try count(1, at: event.position)
        if let anchor = event.anchor { openAnchors.insert(anchor) }
        let result: YAMLNode
        switch event.kind {
        case .scalar(let text, let isPlain):
            result = YAMLNode(content: .scalar(text, isPlain: isPlain), position: event.position)
        case .sequenceStart:
            var items: [YAMLNode] = []
            while true {
                let item = try next(parser)
                if case .sequenceEnd = item.kind { break }
                items.append(try node(item, parser, depth: depth + 1))
            }
            result = YAMLNode(content: .sequence(items), position: event.position)
        case .mappingStart:
            result = YAMLNode(content: .mapping(try entries(parser, depth: depth)), position: event.position)
        case .alias(let name): return try alias(name, at: event.position)
        default: throw problem(event.position, "unexpected YAML structure")
        }
        if let anchor = event.anchor {
            openAnchors.remove(anchor)
            anchors[anchor] = result
        }
        return result
    }

    private mutating func entries(
        _ parser: UnsafeMutablePointer<yaml_parser_t>, depth: Int
    ) throws(YAMLProblem) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var merged: [YAMLNode.Entry] = []
        var seen: [String: SourcePosition] = [:]
        while true {
            let keyEvent = try next(parser)
            if case .mappingEnd = keyEvent.kind { break }
            guard case .scalar(let key, let isPlain) = keyEvent.kind else {
                throw problem(keyEvent.position, "a plain word was expected as a key")
            }
            let value = try node(try next(parser), parser, depth: depth + 1)
            if key == "<<", isPlain {
                merged += try mergeSources(value)
                continue
            }
            if let first = seen[key] {
                throw problem(keyEvent.position, "the key \"\(key)\" is here twice; first at line \(first.line)")
            }
            seen[key] = keyEvent.position
            entries.append(YAMLNode.Entry(key: key, keyPosition: keyEvent.position, value: value))
        }
        // What is written here wins over what is merged in; of several merges the first wins.
        for entry in merged where seen[entry.key] == nil {
            seen[entry.key] = entry.keyPosition
            entries.append(entry)
        }
        return entries
    }

    private func mergeSources(_ value: YAMLNode) throws(YAMLProblem) -> [YAMLNode.Entry] {
        switch value.content {
        case .mapping(let entries): return entries
        case .sequence(let items):
            var all: [YAMLNode.Entry] = []
            for item in items {
                guard case .mapping(let entries) = item.content else {
                    throw problem(item.position, "<< merges mappings; this is \(item.kindInWords)")
                }
                all += entries
            }
            return all
        case .scalar: throw problem(value.position, "<< merges a mapping; this is \(value.kindInWords)")
        }
    }

    private mutating func alias(_ name: String, at position: SourcePosition) throws(YAMLProblem) -> YAMLNode {
        if openAnchors.contains(name) {
            throw problem(position, "the alias *\(name) is inside what it stands for: a cycle without end")
        }
        guard let node = anchors[name] else { throw problem(position, "there is no anchor &\(name) before this alias") }
        try count(Self.size(node), at: position)
        return node
    }

    private mutating func count(_ more: Int, at position: SourcePosition) throws(YAMLProblem) {
        nodes += more
        guard nodes <= Self.nodeLimit else {
            throw problem(position, "more than \(Self.nodeLimit) values, aliases expanded; a scenario is far smaller")
        }
    }

    private static func size(_ node: YAMLNode) -> Int {
        switch node.content {
        case .scalar: 1
        case .sequence(let items): items.reduce(1) { $0 + size($1) }
        case .mapping(let entries): entries.reduce(1) { $0 + size($1.value) }
        }
    }

    // MARK: Events

    private func next(_ parser: UnsafeMutablePointer<yaml_parser_t>) throws(YAMLProblem) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw failure(parser.pointee) }
        defer { yaml_event_delete(&event) }
        return YAMLEvent(event, override: override)
    }

    private func failure(_ parser: yaml_parser_t) -> YAMLProblem {
        let what = parser.problem.map { String(cString: $0) } ?? "not YAML"
        if parser.error == YAML_READER_ERROR {
            return problem(.wholeFile, "not UTF-8 text: \(what) at byte \(parser.problem_offset)")
        }
        let context = parser.context.map { " (\(String(cString: $0)) at line \(parser.context_mark.line + 1))" } ?? ""
        let mark = parser.problem_mark
        return problem(
            SourcePosition(line: Int(mark.line) + 1, column: Int(mark.column) + 1), "not YAML: \(what)\(context)")
    }

    private func problem(_ position: SourcePosition, _ message: String) -> YAMLProblem {
        var position = position
        position.override = override
        return YAMLProblem(problem: ScenarioProblem(position: position, message: message))
    }
}

/// Why text is no YAML that a scenario may be written in.
struct YAMLProblem: Error {
    let problem: ScenarioProblem
}
