/// Finds out whether the text of a statement, or of several in one Query, ends its transaction with a COMMIT. Pure.
///
/// Not PostgreSQL's parser: it knows strings, names, comments and semicolons, and the first two words of each statement.
struct CommitText {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0
    /// Of the statement under way.
    private var words: [String] = []
    private var isLastCommit = false
    /// The last word: where it stands, and whether it is `begin`.
    private var lastWord = 0..<0
    private var isBehindBegin = false
    /// The body of an SQL function (`BEGIN ATOMIC … END`) has semicolons, and a CASE in it an END, of their own.
    private var bodyDepth = 0

    /// Comments and empty statements do not count. O(length).
    static func endsWithCommit(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var scan = CommitText(bytes)
            scan.run()
            return scan.isLastCommit
        }
    }

    private init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private func peek(_ ahead: Int = 0) -> UInt8? { at + ahead < bytes.count ? bytes[at + ahead] : nil }

    private mutating func run() {
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: ";"):
                if bodyDepth == 0 { endStatement() }
                at += 1
            case UInt8(ascii: "'"): quoted(byte, escapes: isBehindLoneE)
            case UInt8(ascii: "\""): quoted(byte, escapes: false)
            case UInt8(ascii: "-") where peek(1) == byte:
                while let byte = peek(), byte != UInt8(ascii: "\n") { at += 1 }
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): comment()
            case UInt8(ascii: "$"): dollar()
            case _ where Self.isWord(byte): word()
            default: at += 1
            }
        }
        endStatement()
    }

    private mutating func endStatement() {
        defer { words.removeAll(keepingCapacity: true) }
        isBehindBegin = false
        guard let first = words.first else { return }
        isLastCommit = (first == "commit" || first == "end") && words.dropFirst().first != "prepared"
    }

    private mutating func word() {
        let start = at
        while let byte = peek(), Self.isWord(byte) || byte == UInt8(ascii: "$") { at += 1 }
        lastWord = start..<at
        let word = String(decoding: bytes[start..<min(at, start + 16)], as: UTF8.self).lowercased()
        if words.count < 2 { words.append(word) }
        switch word {
        case "atomic" where isBehindBegin: bodyDepth = max(bodyDepth, 1)
        case "case" where bodyDepth > 0: bodyDepth += 1
        case "end" where bodyDepth > 0: bodyDepth -= 1
        default: break
        }
        isBehindBegin = word == "begin"
    }

    /// `E'…'` has escapes, `LIKE'…'` has none.
    private var isBehindLoneE: Bool {
        lastWord.upperBound == at && lastWord.count == 1 && bytes[lastWord.lowerBound] | 0x20 == UInt8(ascii: "e")
    }

    /// A doubled quote stands for one.
    private mutating func quoted(_ quote: UInt8, escapes: Bool) {
        at += 1
        while let byte = peek() {
            at += byte == UInt8(ascii: "\\") && escapes ? 2 : 1
            guard byte == quote else { continue }
            guard peek() == quote else { return }
            at += 1
        }
    }

    /// They nest.
    private mutating func comment() {
        var depth = 0
        repeat {
            if peek() == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                depth += 1
                at += 2
            } else if peek() == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                depth -= 1
                at += 2
            } else {
                at += 1
            }
        } while depth > 0 && at < bytes.count
    }

    /// `$1`, or `$tag$ … $tag$`.
    private mutating func dollar() {
        var end = at + 1
        while end < bytes.count, Self.isWord(bytes[end]) { end += 1 }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "$") else {
            at = end
            return
        }
        let tag = bytes[at...end]
        at = end + 1
        while at < bytes.count, !bytes[at...].starts(with: tag) { at += 1 }
        at = min(bytes.count, at + tag.count)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte | 0x20 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): true
        default: (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_") || byte >= 128
        }
    }
}
