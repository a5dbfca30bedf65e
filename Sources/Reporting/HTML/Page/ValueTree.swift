import RigModel

/// A JSON value as lists of names and values.
struct ValueTree: Sendable {
    /// Items of a list; what is beyond is counted.
    private static let itemLimit = 40
    private static let textLimit = 1000
    /// Of the whole, as text.
    private static let sizeLimit = 20_000

    private let value: JSONValue

    init(_ value: JSONValue) { self.value = value }

    /// Behind a summary that opens it; nothing where there is nothing.
    func folded(_ title: String) -> HTML {
        switch value {
        case .null, .object([]), .array([]): ""
        default: "<details class=\"tree\"><summary>\(title)</summary>\(bounded)</details>"
        }
    }

    var html: HTML { Self.html(value, depth: 0) }

    private var bounded: HTML {
        let text = value.compactText
        if text.utf8.count <= Self.sizeLimit { return html }
        return
            "<p class=\"quiet\">Too much for this page; it begins so, and report.json has it whole:</p><code>\(String(text.prefix(Self.textLimit)))…</code>"
    }

    private static func html(_ value: JSONValue, depth: Int) -> HTML {
        switch value {
        case .null: return "<span class=\"quiet\">-</span>"
        case .bool(let flag): return flag ? "yes" : "no"
        // Process ids, ports and the like are no quantities; what they are called is not known here.
        case .int(let number): return abs(number) < 100_000 ? "\(number)" : "\(NumberText.count(Int(number)))"
        case .double(let number): return "\(NumberText.decimal(number, 3))"
        case .string(let text):
            return text.count > textLimit ? "\(String(text.prefix(textLimit)))…" : "\(text)"
        // Deeper than a person reads.
        case .array, .object: if depth >= 5 { return "<code>\(String(value.compactText.prefix(textLimit)))</code>" }
        }
        if case .object(let members) = value {
            let rows = members.prefix(itemLimit).map {
                "<dt>\($0.key)</dt><dd>\(html($0.value, depth: depth + 1))</dd>" as HTML
            }
            return "<dl class=\"values\">\(Array(rows))</dl>\(more(members.count))"
        }
        guard case .array(let items) = value else { return "" }
        if items.isEmpty { return "<span class=\"quiet\">none</span>" }
        if items.allSatisfy({ $0.arrayValue == nil && !$0.isObject }) {
            let texts = items.prefix(itemLimit).map { html($0, depth: depth + 1) }
            return "\(Array(texts).joined(", "))\(more(items.count))"
        }
        let rows = items.prefix(itemLimit).map { "<li>\(html($0, depth: depth + 1))</li>" as HTML }
        return "<ol class=\"values\">\(Array(rows))</ol>\(more(items.count))"
    }

    private static func more(_ count: Int) -> HTML {
        count > itemLimit ? " <span class=\"quiet\">and \(count - itemLimit) more, in report.json</span>" : ""
    }
}

extension JSONValue {
    fileprivate var isObject: Bool { if case .object = self { true } else { false } }
}
