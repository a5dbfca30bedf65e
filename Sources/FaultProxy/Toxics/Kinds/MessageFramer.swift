/// Finds where PostgreSQL messages end in one stream, whatever pieces the bytes come in. Looks at nothing else.
///
/// Typed messages are a letter, a length of four bytes that counts itself, and the rest. A client begins with packets
/// without a letter (negotiations, cancel request, startup); a server may begin with one-byte answers to negotiations
/// (PostgreSQL documentation, "Message Formats").
struct MessageFramer: Sendable {
    private enum State {
        /// Next is the length of an untyped packet, or a part of it.
        case untyped
        /// Next is a typed message, or the one-byte answer to a negotiation.
        case answer
        case typed
        /// These bytes are no messages.
        case lost
    }

    /// The longest packet that a server accepts before it knows the user (`MAX_STARTUP_PACKET_LENGTH`).
    private static let longestStartup = 10_000
    /// What a server allocates for a message at most (`PQ_LARGE_MESSAGE_LIMIT`).
    private static let longestMessage = 0x3FFF_FFFF
    /// SSLRequest and GSSENCRequest: another untyped packet follows.
    private static let negotiations: Set<Int> = [80_877_103, 80_877_104]

    private var state: State
    /// A stream that is joined in the middle is looked at again with each read, which mostly begins a message.
    private let triesAgain: Bool
    /// The bytes of a head that came in pieces; its count, and its value so far.
    private var headCount = 0
    private var head: UInt64 = 0
    /// Bytes of the message behind its head.
    private var rest = 0

    init(_ stream: ProxyStream, seesStart: Bool) {
        state = !seesStart ? .typed : stream == .upstream ? .untyped : .answer
        triesAgain = !seesStart
    }

    /// - Returns: how many of the bytes belong to the message in progress, its last one included; `nil` when it does not end
    ///   in them. Then all of them have been taken.
    mutating func lengthToMessageEnd(in bytes: ArraySlice<UInt8>) -> Int? {
        if state == .lost, triesAgain { state = .typed }
        var position = bytes.startIndex
        while position < bytes.endIndex {
            if rest > 0 {
                let step = min(rest, bytes.endIndex - position)
                rest -= step
                position += step
                if rest == 0 { return position - bytes.startIndex }
            } else if state == .lost {
                return nil
            } else {
                let isWhole = take(bytes[position])
                position += 1
                if isWhole { return position - bytes.startIndex }
            }
        }
        return nil
    }

    /// Takes one byte of a head.
    ///
    /// - Returns: `true` when the message is over with it.
    private mutating func take(_ byte: UInt8) -> Bool {
        head = head << 8 | UInt64(byte)
        headCount += 1
        switch state {
        case .untyped:
            guard headCount == 8 else { return false }
            return begin(length: Int(head >> 32), headCount: 8, within: 8...Self.longestStartup)
        case .answer where [UInt8(ascii: "S"), UInt8(ascii: "N"), UInt8(ascii: "G")].contains(byte):
            headCount = 0
            head = 0
            return true
        case .answer:
            state = .typed
            checkType(byte)
            return false
        case .typed:
            if headCount == 1 { checkType(byte) }
            guard headCount == 5 else { return false }
            return begin(length: Int(head & 0xFFFF_FFFF), headCount: 4, within: 4...Self.longestMessage)
        case .lost: return false
        }
    }

    private mutating func checkType(_ byte: UInt8) {
        let isLetter = UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
        if !isLetter, !(UInt8(ascii: "1")...UInt8(ascii: "3") ~= byte) { lose() }
    }

    private mutating func begin(length: Int, headCount: Int, within limits: ClosedRange<Int>) -> Bool {
        guard limits.contains(length) else {
            lose()
            return false
        }
        if state == .untyped, !Self.negotiations.contains(Int(head & 0xFFFF_FFFF)) { state = .typed }
        self.headCount = 0
        head = 0
        rest = length - headCount
        return rest == 0
    }

    private mutating func lose() {
        state = .lost
        headCount = 0
        head = 0
    }
}
