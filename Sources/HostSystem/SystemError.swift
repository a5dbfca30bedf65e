import Glibc

/// A kernel call that failed, in words.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    /// What was tried, for example `open /tmp/x/journal.jsonl`.
    package let attempt: String
    /// `errno`.
    package let code: Int32

    package init(_ attempt: String, code: Int32 = errno) {
        self.attempt = attempt
        self.code = code
    }

    package var description: String { "\(attempt): \(errorText(code)) (errno \(code))" }
}

/// The system's words for an `errno`. Thread-safe, unlike `strerror`.
package func errorText(_ code: Int32) -> String {
    var buffer = [CChar](repeating: 0, count: 256)
    guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
