import Glibc

/// A POSIX extended regular expression that is looked for in the text of statements, without regard to case. Immutable, so
/// it can be used by several threads at once (POSIX: `regexec` is thread-safe).
package struct StatementPattern: Sendable, Equatable, CustomStringConvertible {
    /// `regex_t` is not Sendable as it is a C struct with pointers; it is never changed between `regcomp` and `regfree`.
    private final class Compiled: @unchecked Sendable {
        var expression = regex_t()

        init(_ pattern: String) throws(CutRuleError) {
            let status = regcomp(&expression, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB)
            guard status != 0 else { return }
            var buffer = [CChar](repeating: 0, count: 256)
            regerror(status, &expression, &buffer, buffer.count)
            let reason = buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
            isBroken = true
            throw CutRuleError("statement", "\"\(pattern)\" is no POSIX extended regular expression: \(reason)")
        }

        // After a failed regcomp there is nothing to free.
        private var isBroken = false
        deinit { if !isBroken { regfree(&expression) } }

        func matches(_ text: String) -> Bool {
            withUnsafePointer(to: expression) { regexec($0, text, 0, nil, 0) == 0 }
        }
    }

    package let source: String
    private let compiled: Compiled

    package init(_ source: String) throws(CutRuleError) {
        guard !source.isEmpty else { throw CutRuleError("statement", "the pattern is empty") }
        guard !source.utf8.contains(0) else { throw CutRuleError("statement", "the pattern has a zero byte") }
        // Matching these takes exponential time, on the thread that relays all connections.
        if let offset = Self.backReference(in: Array(source.utf8)) {
            throw CutRuleError(
                "statement", "\"\(source)\" has a back-reference at byte \(offset), which could block the proxy")
        }
        self.source = source
        compiled = try Compiled(source)
    }

    private static func backReference(in pattern: [UInt8]) -> Int? {
        var at = 0
        while at + 1 < pattern.count {
            guard pattern[at] == UInt8(ascii: "\\") else {
                at += 1
                continue
            }
            if (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(pattern[at + 1]) { return at }
            at += 2
        }
        return nil
    }

    func matches(_ text: String) -> Bool { compiled.matches(text) }

    package static func == (a: Self, b: Self) -> Bool { a.source == b.source }
    package var description: String { source }
}
