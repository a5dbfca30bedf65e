/// Why a text is not JSON.
public struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
    /// Bytes before the place.
    public var offset: Int
    /// What was expected there, and what stood there.
    public var problem: String

    public init(offset: Int, problem: String) {
        self.offset = offset
        self.problem = problem
    }

    public var description: String { "not JSON at byte \(offset): \(problem)" }
}

// By hand and not with Foundation's JSONSerialization: that one forgets the order of keys and cannot tell 1 from true
// or 1.0 on Linux, so a line could not be read back as it was written.
extension JSONValue {
    /// Nesting beyond this is refused, so that no input can exhaust the stack.
    public static let depthLimit = 256

    /// Reads one JSON value (RFC 8259) and nothing behind it but white space. Keeps the order of keys. A number without
    /// fraction and exponent that fits becomes ``JSONValue/int(_:)``, every other one ``JSONValue/double(_:)``; half of
    /// a surrogate pair becomes U+FFFD. O(bytes).
    ///
    /// - Throws: ``JSONSyntaxError`` with the place.
    public init(parsing bytes: ArraySlice<UInt8>) throws(JSONSyntaxError) {
        var parser = JSONParser(bytes)
        self = try parser.document()
    }

    /// Reads the first JSON value and ignores what stands behind it, like readers that take a stream of values.
    public init(parsingFirstOf bytes: [UInt8]) throws(JSONSyntaxError) {
        var parser = JSONParser(bytes[...])
        self = try parser.value()
    }

    /// Reads a whole array that holds one JSON value.
    public init(parsing bytes: [UInt8]) throws(JSONSyntaxError) { try self.init(parsing: bytes[...]) }

    /// The same for a text.
    public init(parsing text: String) throws(JSONSyntaxError) { try self.init(parsing: Array(text.utf8)) }
}

/// Recursive descent over bytes.
private struct JSONParser {
    private let bytes: ArraySlice<UInt8>
    private var position: Int
    private var depth = 0

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    mutating func document() throws(JSONSyntaxError) -> JSONValue {
        let result = try value()
        skipSpace()
        if position < bytes.endIndex { throw error("expected the end of the text, saw \(seen)") }
        return result
    }

    mutating func value() throws(JSONSyntaxError) -> JSONValue {
        skipSpace()
        guard let byte = peek else { throw error("expected a value, saw the end") }
        switch byte {
        case UInt8(ascii: "{"): return try nested { (parser) throws(JSONSyntaxError) in try parser.object() }
        case UInt8(ascii: "["): return try nested { (parser) throws(JSONSyntaxError) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("expected a value, saw \(seen)")
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(JSONSyntaxError) -> JSONValue
    ) throws(JSONSyntaxError) -> JSONValue {
        guard depth < JSONValue.depthLimit else { throw error("nested deeper than \(JSONValue.depthLimit)") }
        depth += 1
        let result = try body(&self)
        depth -= 1
        return result
    }

    private mutating func object() throws(JSONSyntaxError) -> JSONValue {
        position += 1
        var members: [JSONValue.Member] = []
        skipSpace()
        if take("}") { return .object([]) }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw error("expected a key in quotes, saw \(seen)") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw error("expected ':' after a key, saw \(seen)") }
            members.append(JSONValue.Member(key, try value()))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw error("expected ',' or '}' in an object, saw \(seen)") }
        }
    }

    private mutating func array() throws(JSONSyntaxError) -> JSONValue {
        position += 1
        var items: [JSONValue] = []
        skipSpace()
        if take("]") { return .array([]) }
        while true {
            items.append(try value())
            skipSpace()
            if take("]") { return .array(items) }
            guard take(",") else { throw error("expected ',' or ']' in an array, saw \(seen)") }
        }
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        let expected = text.description.utf8
        guard bytes[position...].starts(with: expected) else { throw error("expected \(text), saw \(seen)") }
        position += expected.count
        return value
    }

    private mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = position
        var isWhole = true
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") {
            isWhole = false
            try digits()
        }
        if take("e") || take("E") {
            isWhole = false
            if !take("+") { _ = take("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let number = Int64(text) { return .int(number) }
        guard let number = Double(text), number.isFinite else { throw error("the number \(text) is out of range") }
        return .double(number)
    }

    private mutating func digits() throws(JSONSyntaxError) {
        let start = position
        while let byte = peek, isDigit(byte) { position += 1 }
        if position == start { throw error("expected a digit, saw \(seen)") }
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        position += 1
        var text = ""
        while true {
            let start = position
            while let byte = peek, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
                position += 1
            }
            if position > start {
                guard let run = String(validating: bytes[start..<position], as: UTF8.self) else {
                    throw error("a string holds bytes that are not UTF-8")
                }
                text += run
            }
            if take("\"") { return text }
            guard take("\\") else { throw error("expected the rest of a string, saw \(seen)") }
            text.unicodeScalars.append(try escape())
        }
    }

    /// What stands behind a backslash.
    private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
        guard let byte = peek else { throw error("expected an escape, saw the end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try hexUnit()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            let beforeSecondHalf = position
            if (0xD800..<0xDC00).contains(unit), take("\\"), take("u") {
                let second = try hexUnit()
                if (0xDC00..<0xE000).contains(second) {
                    let code = 0x10000 + (unit - 0xD800) << 10 + (second - 0xDC00)
                    return Unicode.Scalar(code) ?? "\u{FFFD}"
                }
            }
            position = beforeSecondHalf
            return "\u{FFFD}"
        default:
            position -= 1
            throw error("expected one of \"\\/bfnrtu after a backslash, saw \(seen)")
        }
    }

    private mutating func hexUnit() throws(JSONSyntaxError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("expected four hexadecimal digits, saw \(seen)")
            }
            unit = unit << 4 + UInt32(digit)
            position += 1
        }
        return unit
    }

    private var peek: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte = peek, UInt32(byte) == character.value else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private var seen: String {
        guard let byte = peek else { return "the end" }
        return (0x21..<0x7F).contains(byte) ? "'\(Character(Unicode.Scalar(byte)))'" : "byte \(byte)"
    }

    private func error(_ problem: String) -> JSONSyntaxError {
        JSONSyntaxError(offset: position - bytes.startIndex, problem: problem)
    }
}
