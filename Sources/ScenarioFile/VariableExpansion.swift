/// `${VAR}` and `${VAR:-default}` in values; `$$` is a dollar. Pure.
enum VariableExpansion {
    /// Expands every scalar value of a tree; keys stay as they are.
    static func expand(_ node: YAMLNode, _ environment: [String: String], _ log: ProblemLog) -> YAMLNode {
        var node = node
        switch node.content {
        case .scalar(let text, let isPlain):
            guard text.contains("$") else { return node }
            node.content = .scalar(expand(text, at: node.position, environment, log), isPlain: isPlain)
        case .sequence(let items): node.content = .sequence(items.map { expand($0, environment, log) })
        case .mapping(let entries):
            node.content = .mapping(
                entries.map { entry in
                    var entry = entry
                    entry.value = expand(entry.value, environment, log)
                    return entry
                })
        }
        return node
    }

    private static func expand(
        _ text: String, at position: SourcePosition, _ environment: [String: String], _ log: ProblemLog
    ) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...].dropFirst()
            if rest.first == "$" {
                result += "$"
                rest = rest.dropFirst()
            } else if rest.first == "{" {
                guard let close = rest.firstIndex(of: "}") else {
                    log.add(position, "\"${\" without \"}\" in \"\(text)\"; write $$ for a dollar")
                    return text
                }
                result += value(of: rest[rest.index(after: rest.startIndex)..<close], at: position, environment, log)
                rest = rest[rest.index(after: close)...]
            } else {
                result += "$"
            }
        }
        return result + rest
    }

    private static func value(
        of reference: Substring, at position: SourcePosition, _ environment: [String: String], _ log: ProblemLog
    ) -> String {
        let name: Substring
        var fallback: Substring?
        if let split = reference.range(of: ":-") {
            name = reference[..<split.lowerBound]
            fallback = reference[split.upperBound...]
        } else {
            name = reference
        }
        let isName = !name.isEmpty && name.allSatisfy { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
        guard isName else {
            log.add(position, "\"${\(reference)}\" does not name a variable; write $$ for a dollar")
            return ""
        }
        if let value = environment[String(name)], !value.isEmpty || fallback == nil { return value }
        if let fallback { return String(fallback) }
        log.add(position, "the variable \(name) is not set; set it, or give a default: ${\(name):-value}")
        return ""
    }
}

extension Substring {
    /// The first place where the text stands.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            formIndex(after: &start)
        }
        return nil
    }
}
