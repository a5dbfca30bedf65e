/// Text inside XML 1.0. What XML cannot hold at all (most control characters, U+FFFE, U+FFFF) is written out as `\x1b`.
enum XMLText {
    /// For an attribute in double quotes; keeps line breaks and tabs through the reader's normalisation.
    static func attribute(_ text: String) -> String { escape(text, keepsLines: false) }

    /// For the content of an element.
    static func content(_ text: String) -> String { escape(text, keepsLines: true) }

    private static func escape(_ text: String, keepsLines: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n" where keepsLines, "\t" where keepsLines: result.unicodeScalars.append(scalar)
            case "\n", "\t", "\r": result += "&#\(scalar.value);"
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}":
                result += "\\x" + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
