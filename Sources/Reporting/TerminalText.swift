import RigModel

/// Text for a terminal: cleaned, measured, wrapped, aligned. Pure.
package enum TerminalText {
    /// Without anything that could move the cursor, change colours or turn the direction of writing: messages come from
    /// servers. White space becomes one space each, other control and format characters U+FFFD.
    package static func clean(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator:
                result.append(scalar.properties.isWhitespace ? " " : "\u{FFFD}")
            // The zero-width joiner and its opposite only shape a character.
            case .format where scalar != "\u{200D}" && scalar != "\u{200C}": result.append("\u{FFFD}")
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// The same of a text of several lines, which stay.
    package static func cleanLines(_ text: String) -> String {
        text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { clean(String($0)) }.joined(
            separator: "\n")
    }

    /// Columns on a terminal: two for wide East Asian characters and emoji, none for a mark that has nothing to combine with, else
    /// one.
    package static func width(_ text: String) -> Int { text.reduce(0) { $0 + width($1) } }

    private static func width(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1FAFF, 0x20000...0x3FFFD:
            return 2
        // Symbols that are shown as emoji unless a text style is asked for (⌚ ⚡ ✅), or that are asked to be.
        case 0x231A...0x27BF
        where scalar.properties.isEmojiPresentation || character.unicodeScalars.contains("\u{FE0F}"):
            return character.unicodeScalars.contains("\u{FE0E}") ? 1 : 2
        default: break
        }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: return 1
        }
    }

    /// Lines of at most `width` columns, broken at spaces; a word that is too long is broken anywhere. Never empty.
    package static func wrap(_ text: String, width limit: Int) -> [String] {
        let limit = max(limit, 2)
        var lines: [String] = []
        var line = ""
        for word in clean(text).split(separator: " ") {
            if !line.isEmpty, width(line) + 1 + width(String(word)) > limit {
                lines.append(line)
                line = ""
            }
            var rest = line.isEmpty ? String(word) : line + " " + word
            while width(rest) > limit {
                let part = prefix(of: rest, columns: limit)
                lines.append(part)
                rest = String(rest.dropFirst(part.count))
            }
            line = rest
        }
        return line.isEmpty && !lines.isEmpty ? lines : lines + [line]
    }

    /// As much as fits into `columns`, at least one character.
    private static func prefix(of text: String, columns: Int) -> String {
        var result = ""
        var used = 0
        for character in text {
            used += width(character)
            if used > columns && !result.isEmpty { break }
            result.append(character)
        }
        return result
    }

    /// Cut to `width` columns, the last of which then is `…`.
    static func truncate(_ text: String, width limit: Int) -> String {
        if width(text) <= limit { return text }
        if limit <= 1 { return limit == 1 ? "…" : "" }
        return prefix(of: text, columns: limit - 1) + "…"
    }

    static func padLeft(_ text: String, _ columns: Int) -> String {
        String(repeating: " ", count: max(0, columns - width(text))) + text
    }

    static func padRight(_ text: String, _ columns: Int) -> String {
        text + String(repeating: " ", count: max(0, columns - width(text)))
    }
}

/// Colours by meaning; nothing at all where colour is off.
struct Palette {
    enum Meaning: String {
        case good = "32"
        case bad = "31"
        case doubt = "33"
        case strong = "1"
        case faint = "2"

        init(_ verdict: Verdict) {
            self =
                switch verdict {
                case .valid: .good
                case .unknown: .doubt
                case .invalid: .bad
                }
        }
    }

    var isOn: Bool

    func paint(_ text: String, _ meanings: Meaning...) -> String {
        guard isOn, !text.isEmpty else { return text }
        return "\u{1B}[\(meanings.map(\.rawValue).joined(separator: ";"))m\(text)\u{1B}[0m"
    }
}
