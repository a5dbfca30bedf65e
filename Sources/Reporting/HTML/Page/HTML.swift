/// A piece of a page. A text that is put into one by interpolation is escaped, so that nothing of the history can become markup; only
/// literals and other pieces are markup.
struct HTML: Sendable, ExpressibleByStringInterpolation {
    private(set) var source: String

    init(stringLiteral value: String) { source = value }
    init(stringInterpolation: Interpolation) { source = stringInterpolation.source }

    /// Markup that was made elsewhere: only for texts that hold nothing from outside.
    init(trusted source: String) { self.source = source }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var source: String

        init(literalCapacity: Int, interpolationCount: Int) {
            source = ""
            source.reserveCapacity(literalCapacity + interpolationCount * 16)
        }

        mutating func appendLiteral(_ literal: String) { source += literal }
        mutating func appendInterpolation(_ text: String) { source += HTML.escape(text) }
        mutating func appendInterpolation(_ number: some BinaryInteger) { source += String(number) }
        mutating func appendInterpolation(_ piece: HTML) { source += piece.source }
        mutating func appendInterpolation(_ piece: HTML?) { source += piece?.source ?? "" }
        mutating func appendInterpolation(_ pieces: [HTML]) { for piece in pieces { source += piece.source } }
    }

    static func += (a: inout HTML, b: HTML) { a.source += b.source }
    var isEmpty: Bool { source.isEmpty }

    /// Text for the content of an element, and for an attribute in double quotes. Control characters, and those that turn the
    /// direction of writing, become U+FFFD: messages come from servers.
    static func escape(_ text: String) -> String {
        guard text.utf8.contains(where: Self.isSpecial) else { return text }
        var result = ""
        result.reserveCapacity(text.utf8.count + 16)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            default:
                if scalar.value >= 0x20 && scalar.value < 0x7F {
                    result.unicodeScalars.append(scalar)
                    continue
                }
                switch scalar.properties.generalCategory {
                case .control: result += "\u{FFFD}"
                // The zero-width joiner and its opposite only shape a character.
                case .format where scalar != "\u{200D}" && scalar != "\u{200C}": result += "\u{FFFD}"
                default: result.unicodeScalars.append(scalar)
                }
            }
        }
        return result
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "'"): true
        default: byte < 0x20 || byte >= 0x7F
        }
    }
}

extension [HTML] {
    func joined(_ separator: HTML = "") -> HTML { HTML(trusted: map(\.source).joined(separator: separator.source)) }
}
