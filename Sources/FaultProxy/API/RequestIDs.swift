import Glibc
import Synchronization

/// Names for requests, as Toxiproxy gives them: twenty characters of 0-9 and a-v, growing with time. Thread-safe.
final class RequestIDs: Sendable {
    private static let alphabet = Array("0123456789abcdefghijklmnopqrstuv".utf8)
    private let counter = Atomic<UInt64>(0)

    func next() -> String {
        let count = counter.add(1, ordering: .relaxed).newValue
        // 35 bits of seconds, 20 of the process, 45 of the counter.
        let seconds = UInt64(truncatingIfNeeded: time(nil))
        let process = UInt64(truncatingIfNeeded: getpid())
        return Self.text(seconds, digits: 7) + Self.text(process, digits: 4) + Self.text(count, digits: 9)
    }

    private static func text(_ number: UInt64, digits: Int) -> String {
        String(decoding: (0..<digits).reversed().map { alphabet[Int(number >> (5 * UInt64($0)) & 31)] }, as: UTF8.self)
    }
}
