import Glibc

/// A POSIX extended regular expression that is looked for in the text of statements, without regard to case. Immutable, so
/// it can be used by several threads at once (POSIX: `regexec` is thread-safe).
///
/// It is compiled and matched on threads that others wait for, so its size is bounded, and only the first 64 KiB of a text
/// are looked at.
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

    /// Bytes of a text that are looked at.
    static let textLimit = 1 << 16

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
        // glibc's regcomp calls itself for each parenthesis, and copies what is repeated.
        if let problem = PatternSize.problem(of: Array(source.utf8)) { throw CutRuleError("statement", problem) }
        self.source = source
        // On its own first: the parentheses below could make a broken pattern whole.
        _ = try Compiled(source)
        // glibc starts a search anew at each byte of the text, which is quadratic, unless the pattern is anchored.
        compiled = try Compiled("^.*(\(source))")
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

    /// O(length of the text).
    func matches(_ text: String) -> Bool {
        guard text.utf8.count > Self.textLimit else { return compiled.matches(text) }
        return compiled.matches(String(decoding: text.utf8.prefix(Self.textLimit), as: UTF8.self))
    }

    package static func == (a: Self, b: Self) -> Bool { a.source == b.source }
    package var description: String { source }
}
