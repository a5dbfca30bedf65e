/// Says how much a POSIX extended regular expression would cost to compile, before it is. Pure; O(bytes).
enum PatternSize {
    static let byteLimit = 1024
    static let depthLimit = 32
    static let boundLimit = 255
    /// Of characters and sets, those that `{n,m}` repeats counted as often as that.
    static let copyLimit = 1024

    private struct Group {
        var size = 0
        /// Of what a `{n,m}` that comes next would repeat; a part of `size`.
        var last = 0
    }

    /// - Returns: why the pattern is not taken; `nil` when it is small enough.
    static func problem(of pattern: [UInt8]) -> String? {
        guard pattern.count <= byteLimit else {
            return "the pattern has \(pattern.count) bytes, and \(byteLimit) are the most"
        }
        var groups = [Group()]
        var at = 0
        while at < pattern.count {
            var size = 1
            var next = at + 1
            switch pattern[at] {
            case UInt8(ascii: "\\"): next = at + 2
            case UInt8(ascii: "["): next = endOfSet(pattern, at)
            case UInt8(ascii: "("):
                guard groups.count <= depthLimit else {
                    return "more than \(depthLimit) parentheses are open at byte \(at)"
                }
                groups.append(Group())
                at = next
                continue
            case UInt8(ascii: ")"): if groups.count > 1 { size = groups.removeLast().size }
            case UInt8(ascii: "{"):
                guard let (bound, end) = bound(pattern, at) else { break }
                guard bound <= boundLimit else { return "a bound at byte \(at) is more than \(boundLimit)" }
                let last = groups[groups.count - 1].last
                groups[groups.count - 1].size += last * bound - last
                groups[groups.count - 1].last = last * bound
                size = 0
                next = end
            default: break
            }
            if size > 0 {
                groups[groups.count - 1].size += size
                groups[groups.count - 1].last = size
            }
            guard groups[groups.count - 1].size <= copyLimit else {
                return "with its {} written out, the pattern has more than \(copyLimit) characters at byte \(at)"
            }
            at = next
        }
        return nil
    }

    /// - Returns: the place behind a `[…]`.
    private static func endOfSet(_ pattern: [UInt8], _ start: Int) -> Int {
        var at = start + 1
        if at < pattern.count, pattern[at] == UInt8(ascii: "^") { at += 1 }
        if at < pattern.count, pattern[at] == UInt8(ascii: "]") { at += 1 }
        while at < pattern.count, pattern[at] != UInt8(ascii: "]") {
            let isClass =
                pattern[at] == UInt8(ascii: "[") && at + 1 < pattern.count && ":=.".utf8.contains(pattern[at + 1])
            guard isClass else {
                at += 1
                continue
            }
            let mark = pattern[at + 1]
            at += 2
            while at + 1 < pattern.count, pattern[at] != mark || pattern[at + 1] != UInt8(ascii: "]") { at += 1 }
            at += 2
        }
        return at + 1
    }

    /// The greater number of a `{n,m}`, at least 1, and the place behind it; `nil` when it is none.
    private static func bound(_ pattern: [UInt8], _ start: Int) -> (Int, Int)? {
        var number = 0
        var greatest = 1
        var at = start + 1
        while at < pattern.count {
            switch pattern[at] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                // What is far too much need not be exact.
                number = min(number * 10 + Int(pattern[at] - UInt8(ascii: "0")), 1 << 20)
                greatest = max(greatest, number)
            case UInt8(ascii: ","): number = 0
            case UInt8(ascii: "}"): return (greatest, at + 1)
            default: return nil
            }
            at += 1
        }
        return nil
    }
}
