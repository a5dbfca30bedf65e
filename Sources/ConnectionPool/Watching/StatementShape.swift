/// What two statements have in common that differ in their values only. Pure.
///
/// Literals and parameters become `?`, lists of them `(?)`, whatever their length; comments go, space shrinks, and words are
/// in lower case. `select * from T where id in (1, 2,3)` and `SELECT * FROM t WHERE id IN ($1)` have one shape.
public enum StatementShape {
    /// - Complexity: O(length).
    public static func of(_ text: String) -> String {
        var scanner = Scanner(bytes: Array(text.utf8))
        scanner.scan()
        return String(decoding: collapseLists(scanner.out), as: UTF8.self)
    }

    private struct Scanner {
        let bytes: [UInt8]
        var out: [UInt8] = []
        private var at = 0

        init(bytes: [UInt8]) {
            self.bytes = bytes
            out.reserveCapacity(bytes.count)
        }

        mutating func scan() {
            while at < bytes.count {
                let byte = bytes[at]
                switch byte {
                case UInt8(ascii: "'"): literal(escapes: false)
                case UInt8(ascii: "\""): identifier()
                case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"): lineComment()
                case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): blockComment()
                case UInt8(ascii: "$"): dollar()
                case UInt8(ascii: "?"): parameter()
                case _ where byte.isSpace: space()
                case _ where byte.isDigit: number()
                case _ where byte.isWord: word()
                default:
                    out.append(byte)
                    at += 1
                }
            }
            if out.last == UInt8(ascii: " ") { out.removeLast() }
        }

        private func peek(_ ahead: Int) -> UInt8? { at + ahead < bytes.count ? bytes[at + ahead] : nil }

        private mutating func parameter() {
            out.append(UInt8(ascii: "?"))
            at += 1
            while let byte = peek(0), byte.isDigit { at += 1 }
        }

        private mutating func space() {
            if let last = out.last, last != UInt8(ascii: " ") { out.append(UInt8(ascii: " ")) }
            at += 1
        }

        /// `'it''s'`, and with escapes `E'it\'s'`.
        private mutating func literal(escapes: Bool) {
            at += 1
            while let byte = peek(0) {
                at += 1
                if byte == UInt8(ascii: "\\"), escapes {
                    at += 1
                } else if byte == UInt8(ascii: "'") {
                    if peek(0) != UInt8(ascii: "'") { break }
                    at += 1
                }
            }
            out.append(UInt8(ascii: "?"))
        }

        /// Kept as it is: case and all make the name.
        private mutating func identifier() {
            repeat {
                out.append(bytes[at])
                at += 1
            } while at < bytes.count && bytes[at] != UInt8(ascii: "\"")
            if at < bytes.count {
                out.append(bytes[at])
                at += 1
            }
        }

        private mutating func lineComment() {
            while let byte = peek(0), byte != UInt8(ascii: "\n") { at += 1 }
        }

        /// They nest (PostgreSQL); where they do not (SQLite), nobody writes nested ones.
        private mutating func blockComment() {
            var depth = 0
            repeat {
                if peek(0) == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                    depth += 1
                    at += 2
                } else if peek(0) == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
                    depth -= 1
                    at += 2
                } else {
                    at += 1
                }
            } while depth > 0 && at < bytes.count
        }

        /// `$1`, or `$tag$ … $tag$`.
        private mutating func dollar() {
            if let next = peek(1), next.isDigit { return parameter() }
            var end = at + 1
            while end < bytes.count, bytes[end].isWord { end += 1 }
            guard end < bytes.count, bytes[end] == UInt8(ascii: "$") else {
                out.append(bytes[at])
                at += 1
                return
            }
            let tag = bytes[at...end]
            at = end + 1
            while at < bytes.count, !bytes[at...].starts(with: tag) { at += 1 }
            at = min(bytes.count, at + tag.count)
            out.append(UInt8(ascii: "?"))
        }

        /// `12`, `1.5e-3`, `0xFF`.
        private mutating func number() {
            while let byte = peek(0) {
                let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
                let afterExponent = at > 0 && bytes[at - 1] | 0x20 == UInt8(ascii: "e") && !isHex
                guard byte.isWord || byte == UInt8(ascii: ".") || (isSign && afterExponent) else { break }
                at += 1
            }
            out.append(UInt8(ascii: "?"))
        }

        /// A number is rarely hexadecimal; then its `e` is a digit.
        private var isHex: Bool { at >= 2 && bytes[max(0, at - 18)..<at].contains(UInt8(ascii: "x")) }

        private mutating func word() {
            let start = at
            while let byte = peek(0), byte.isWord || byte.isDigit || byte == UInt8(ascii: "$") { at += 1 }
            if at - start == 1, bytes[start] | 0x20 == UInt8(ascii: "e"), peek(0) == UInt8(ascii: "'") {
                return literal(escapes: true)
            }
            out += bytes[start..<at].map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        }
    }

    /// `(?, ?, ?)` becomes `(?)`, and `(?), (?)` too.
    private static func collapseLists(_ bytes: [UInt8]) -> [UInt8] {
        collapse(collapse(bytes, repeated: Array("?".utf8)), repeated: Array("(?)".utf8))
    }

    /// Leaves out what follows `item` as `, item`.
    private static func collapse(_ bytes: [UInt8], repeated item: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            guard bytes[at...].starts(with: item) else {
                // Space inside the brackets of a list says nothing.
                let isSpaceInList =
                    bytes[at] == UInt8(ascii: " ")
                    && (out.last == UInt8(ascii: "(") || (at + 1 < bytes.count && bytes[at + 1] == UInt8(ascii: ")")))
                if !isSpaceInList { out.append(bytes[at]) }
                at += 1
                continue
            }
            out += item
            at += item.count
            while true {
                var next = at
                while next < bytes.count, bytes[next] == UInt8(ascii: " ") { next += 1 }
                guard next < bytes.count, bytes[next] == UInt8(ascii: ",") else { break }
                next += 1
                while next < bytes.count, bytes[next] == UInt8(ascii: " ") { next += 1 }
                guard next < bytes.count, bytes[next...].starts(with: item) else { break }
                at = next + item.count
            }
        }
        return out
    }
}

extension UInt8 {
    fileprivate var isSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
    fileprivate var isDigit: Bool { (0x30...0x39).contains(self) }
    /// Of a name: letters, digits, `_`, and everything beyond ASCII.
    fileprivate var isWord: Bool { isDigit || (0x61...0x7A).contains(self | 0x20) || self == 0x5F || self >= 0x80 }
}
