import ConnectionPool
import Glibc

/// Values of a statement as the C strings that libpq wants, in one buffer (on the stack, when they are small).
enum ParameterText {
    /// What libpq takes: an array of C strings, NULL for NULL.
    typealias Strings = UnsafePointer<UnsafePointer<CChar>?>

    /// Calls `body` with the values in PostgreSQL's text format. The server infers the types from the statement.
    ///
    /// - Returns: `nil` when a text holds a NUL byte, which no C string can carry.
    static func withStrings<R>(_ values: [SQLValue], _ body: (Strings?, Int32) -> R) -> R? {
        if values.isEmpty { return body(nil, 0) }
        var size = 0
        for value in values { size += space(for: value) }
        return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: values.count) { pointers in
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(1, size)) { buffer -> R? in
                guard let start = pointers.baseAddress, var next = buffer.baseAddress else { return nil }
                for (index, value) in values.enumerated() {
                    let string = UnsafeRawPointer(next).assumingMemoryBound(to: CChar.self)
                    guard let end = write(value, at: next) else { return nil }
                    (start + index).initialize(to: end == next ? nil : string)
                    next = end
                }
                return body(UnsafePointer(start), Int32(truncatingIfNeeded: values.count))
            }
        }
    }

    /// The bytes that a value can take, its NUL included.
    private static func space(for value: SQLValue) -> Int {
        switch value {
        case .null: 0
        case .bool: 2
        case .int: 21  // -9223372036854775808
        case .double: 32
        case .text(let text): text.utf8.count + 1
        }
    }

    /// Writes a value and its NUL; nothing for NULL.
    ///
    /// - Returns: where the next one goes; `nil` when the text holds a NUL byte.
    private static func write(_ value: SQLValue, at start: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8>?
    {
        var end = start
        switch value {
        case .null: return start
        case .bool(let value):
            end.pointee = UInt8(ascii: value ? "t" : "f")
            end += 1
        case .int(let value): end = write(value, at: start)
        // Also "inf", "-inf" and "nan", which the server reads.
        case .double(let value): end = copy(value.description, to: start)
        case .text(let text):
            end = copy(text, to: start)
            if memchr(start, 0, end - start) != nil { return nil }
        }
        end.pointee = 0
        return end + 1
    }

    private static func copy(_ text: String, to start: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        let copied = text.utf8.withContiguousStorageIfAvailable { bytes in
            if let source = bytes.baseAddress { start.update(from: source, count: bytes.count) }
            return bytes.count
        }
        if let copied { return start + copied }
        var end = start
        for byte in text.utf8 {
            end.pointee = byte
            end += 1
        }
        return end
    }

    private static func write(_ value: Int64, at start: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        var end = start
        if value < 0 {
            end.pointee = UInt8(ascii: "-")
            end += 1
        }
        let first = end
        var rest = value.magnitude
        repeat {
            end.pointee = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            end += 1
            rest /= 10
        } while rest > 0
        // The digits came out backwards.
        var (low, high) = (first, end - 1)
        while low < high {
            (low.pointee, high.pointee) = (high.pointee, low.pointee)
            low += 1
            high -= 1
        }
        return end
    }
}
