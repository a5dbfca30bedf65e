/// Finds out whether the text of a statement, or of several in one Query, ends its transaction with a COMMIT. Pure.
///
/// Not PostgreSQL's parser: it knows strings, names, comments and semicolons, and the first two words of each statement.
struct CommitText {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0
    /// Of the statement under way.
    private var words: [String] = []
    private var isLastCommit = false
    private var hasCreate = false

    /// Comments and empty statements do not count. O(length).
    static func endsWithCommit(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            var scan = CommitText(bytes)
            scan.run()
            // The body of an SQL function (`BEGIN ATOMIC … END`) has semicolons and an END of its own.
            return scan.isLastCommit && !scan.hasCreate
        }
    }

    private init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private func peek(_ ahead: Int = 0) -> UInt8? { at + ahead < bytes.count ? bytes[at + ahead] : nil }

    private mutating func run() {
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: ";"):
                endStatement()
                at += 1
            case UInt8(ascii: "'"): quoted(byte, escapes: at > 0 && bytes[at - 1] | 0x20 == UInt8(ascii: "e"))
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
        guard let first = words.first else { return }
        isLastCommit = (first == "commit" || first == "end") && words.dropFirst().first != "prepared"
        hasCreate = hasCreate || first == "create"
    }

    private mutating func word() {
        let start = at
        while let byte = peek(), Self.isWord(byte) || byte == UInt8(ascii: "$") { at += 1 }
        guard words.count < 2 else { return }
        words.append(String(decoding: bytes[start..<min(at, start + 16)], as: UTF8.self).lowercased())
    }

    /// A doubled quote ends one and begins the next.
    private mutating func quoted(_ quote: UInt8, escapes: Bool) {
        at += 1
        while let byte = peek() {
            at += byte == UInt8(ascii: "\\") && escapes ? 2 : 1
            if byte == quote { return }
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
