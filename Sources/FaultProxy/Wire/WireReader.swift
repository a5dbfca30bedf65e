/// Knows what the bytes of a connection have told so far. Pure, and bounded: of message bodies it keeps the little that it
/// tells, everything else is skipped by counting.
struct WireReader: Sendable {
    private var known = WireFacts()
    private var tag = CommandTag()
    /// The last tag came behind the last ReadyForQuery.
    private var isTagNew = false
    /// The next tag is of a statement that the client does not know of.
    private var skipsTag = false
    private(set) var groups = StatementGroups()
    /// SSL and GSS requests without their answer of one byte.
    private var negotiations = 0
    private(set) var isCopyingIn = false
    var texts = StatementTexts()
    /// A walsender serves it, which understands other statements.
    private(set) var isReplication = false

    var facts: WireFacts {
        var facts = known
        facts.lastCommandTag = tag.text
        facts.statementsInFlight = groups.inFlight
        return facts
    }

    var phase: WireFacts.Phase { known.phase }
    var transaction: WireFacts.TransactionStatus? { known.transaction }
    var user: String? { known.user }
    /// What the next ReadyForQuery ends; `nil` when no statement has ended since the last one.
    var tagSinceReady: String? { isTagNew ? tag.text : nil }
    var applicationName: String? { known.applicationName }

    /// Nothing more can be read here.
    @inline(__always)
    var isOpaque: Bool {
        switch known.phase {
        case .encrypted, .unknownProtocol, .cancelRequest: true
        case .startup, .authentication, .session: false
        }
    }

    /// Messages have a type byte in this stream now.
    @inline(__always)
    func isTyped(_ stream: ProxyStream) -> Bool {
        known.phase != .startup && (stream == .upstream || negotiations == 0)
    }

    /// The next byte may be the one-byte answer to an SSL or GSS request.
    var awaitsNegotiation: Bool { negotiations > 0 }

    /// Reads bytes of a stream. O(messages), whatever their size.
    mutating func walk(_ bytes: UnsafeRawBufferPointer, _ place: inout StreamPlace, _ stream: ProxyStream) {
        var at = 0
        while at < bytes.count, !isOpaque {
            if place.isAtBoundary, isTyped(stream) { at = walkWhole(bytes, at, stream) }
            if at < bytes.count, !isOpaque {
                at += step(UnsafeRawBufferPointer(rebasing: bytes[at...]), &place, stream)
            }
        }
    }

    /// Reads the messages that are here as a whole.
    ///
    /// - Returns: where the first one begins that is not.
    private mutating func walkWhole(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ stream: ProxyStream) -> Int {
        var at = start
        var messages = 0
        let count = bytes.count
        while count - at >= 5 {
            let type = bytes[at]
            let length = bytes.bigEndian32(at: at + 1)
            let end = at + 1 + Int(length)
            guard end <= count, length >= 4, WireFormat.isKnown(type, stream) else { break }
            messages += 1
            if let wanted = WireFormat.wantedBody(type, stream) {
                let seen = min(end, at + 5 + wanted)
                note(type, Int(length) - 4, UnsafeRawBufferPointer(rebasing: bytes[at + 5..<seen]), stream)
                if isOpaque { break }
            }
            at = end
        }
        noteCount(messages, stream)
        return at
    }

    /// Reads at most to the end of the message.
    ///
    /// - Returns: how many bytes that were.
    private mutating func step(
        _ bytes: UnsafeRawBufferPointer, _ place: inout StreamPlace, _ stream: ProxyStream
    ) -> Int {
        if place.headerCount > 0, place.headerCount == place.headerSize {
            let taken = min(place.bodyLeft, bytes.count)
            let kept = min(taken, place.captureLimit - place.captured.count)
            if kept > 0 { place.captured.append(contentsOf: bytes[..<kept]) }
            place.bodyLeft -= taken
            if place.bodyLeft == 0 { finish(&place, stream) }
            return taken
        }
        if place.isAtBoundary, let taken = begin(bytes[0], &place, stream) { return taken }
        var taken = 0
        while taken < bytes.count, place.headerCount < place.headerSize {
            place.takeHeader(bytes[taken])
            taken += 1
        }
        if place.headerCount == place.headerSize { openBody(&place, stream) }
        return taken
    }

    /// - Returns: how many bytes the first byte of a message means alone; `nil` when it begins a header.
    private mutating func begin(_ byte: UInt8, _ place: inout StreamPlace, _ stream: ProxyStream) -> Int? {
        place.headerSize = 5
        if stream == .upstream, known.phase == .startup {
            place.headerSize = 4
            guard byte == WireFormat.tlsHandshake else { return nil }
            known.phase = .encrypted
            return 1
        }
        if stream == .downstream, negotiations > 0 {
            switch byte {
            case UInt8(ascii: "S"), UInt8(ascii: "G"): known.phase = .encrypted
            case UInt8(ascii: "N"): negotiations -= 1
            case UInt8(ascii: "E"):
                // An ErrorResponse instead of the answer: from a server that knows nothing of the request.
                negotiations = 0
                return nil
            default: known.phase = .unknownProtocol
            }
            return 1
        }
        let isEarly = stream == .downstream && known.phase == .startup && byte != UInt8(ascii: "E")
        if isEarly || !WireFormat.isKnown(byte, stream) { known.phase = .unknownProtocol }
        return isOpaque ? 1 : nil
    }

    private mutating func openBody(_ place: inout StreamPlace, _ stream: ProxyStream) {
        let length = place.length
        let isUntyped = place.headerSize == 4
        let range = isUntyped ? 8...WireFormat.startupLimit : 4...UInt32(Int32.max)
        guard range.contains(length) else {
            known.phase = .unknownProtocol
            return
        }
        place.bodyLeft = Int(length) - 4
        place.captureLimit = isUntyped ? place.bodyLeft : WireFormat.wantedBody(place.type, stream) ?? 0
        if place.bodyLeft == 0 { finish(&place, stream) }
    }

    private mutating func finish(_ place: inout StreamPlace, _ stream: ProxyStream) {
        noteCount(1, stream)
        let captured = place.captured
        if place.headerSize == 4 {
            captured.withUnsafeBytes { noteUntyped($0) }
        } else if WireFormat.wantedBody(place.type, stream) != nil {
            let length = Int(place.length) - 4
            captured.withUnsafeBytes { note(place.type, length, $0, stream) }
        }
        place.headerCount = 0
        place.captured = []
    }

    private mutating func noteCount(_ messages: Int, _ stream: ProxyStream) {
        if stream == .upstream { known.messagesUpstream &+= messages } else { known.messagesDownstream &+= messages }
    }

    // MARK: What messages tell

    private mutating func noteUntyped(_ body: UnsafeRawBufferPointer) {
        let code = body.bigEndian32(at: 0)
        switch code {
        case WireFormat.sslRequest where body.count == 4, WireFormat.gssRequest where body.count == 4: negotiations += 1
        case WireFormat.cancelRequest where body.count >= 12:
            known.phase = .cancelRequest
            known.backendPID = Int32(bitPattern: body.bigEndian32(at: 4))
        case _ where WireFormat.isStartup(code):
            known.phase = .authentication
            noteStartup(body)
        default: known.phase = .unknownProtocol
        }
    }

    private mutating func noteStartup(_ body: UnsafeRawBufferPointer) {
        var at = 4
        while let name = body.stringRange(at: at), !name.isEmpty, let value = body.stringRange(at: name.upperBound + 1)
        {
            switch body.text(name) {
            case "user": known.user = body.text(value)
            case "database": known.database = body.text(value)
            case "application_name": known.applicationName = body.text(value)
            case "replication": isReplication = !Self.isFalse(body.text(value))
            default: break
            }
            at = value.upperBound + 1
        }
        if known.database == nil { known.database = known.user }
    }

    /// PostgreSQL's `parse_bool` takes every unique beginning of these words.
    private static func isFalse(_ value: String) -> Bool {
        let word = value.lowercased()
        return word == "0" || (!word.isEmpty && ("false".hasPrefix(word) || "no".hasPrefix(word))) || word == "of"
            || word == "off"
    }

    @inline(__always)
    private mutating func note(_ type: UInt8, _ length: Int, _ body: UnsafeRawBufferPointer, _ stream: ProxyStream) {
        if stream == .upstream { noteUpstream(type, body) } else { noteDownstream(type, length, body) }
    }

    @inline(__always)
    private mutating func noteUpstream(_ type: UInt8, _ body: UnsafeRawBufferPointer) {
        switch type {
        case UInt8(ascii: "Q"), UInt8(ascii: "F"): groups.noteQuery()
        case UInt8(ascii: "E"): groups.noteExecute()
        case UInt8(ascii: "S"): groups.noteSync()
        case UInt8(ascii: "B"), UInt8(ascii: "D"): groups.noteUnsynced()
        case UInt8(ascii: "P"), UInt8(ascii: "C"):
            groups.noteUnsynced()
            texts.noteNamed(type, body)
        case UInt8(ascii: "c"), UInt8(ascii: "f"): noteCopyEnded()
        default: break
        }
    }

    @inline(__always)
    private mutating func noteDownstream(_ type: UInt8, _ length: Int, _ body: UnsafeRawBufferPointer) {
        switch type {
        case UInt8(ascii: "C"): noteTag(body)
        case UInt8(ascii: "Z"): noteReady(length, body)
        case UInt8(ascii: "E"): noteError(body)
        case UInt8(ascii: "S"): noteParameter(body)
        case UInt8(ascii: "K"): if body.count == 4 { known.backendPID = Int32(bitPattern: body.bigEndian32(at: 0)) }
        case UInt8(ascii: "G"): isCopyingIn = true
        default: break
        }
    }

    @inline(__always)
    private mutating func noteReady(_ length: Int, _ body: UnsafeRawBufferPointer) {
        guard length == 1, let status = WireFacts.TransactionStatus(readyForQuery: body[0]) else {
            known.phase = .unknownProtocol
            return
        }
        known.transaction = status
        isCopyingIn = false
        isTagNew = false
        if known.phase == .session { groups.noteReady() } else { known.phase = .session }
    }

    @inline(__always)
    private mutating func noteTag(_ body: UnsafeRawBufferPointer) {
        if skipsTag {
            skipsTag = false
            return
        }
        tag.set(body)
        isTagNew = true
    }

    /// The CommandComplete that begins now is hidden from the client.
    mutating func hideNextTag() { skipsTag = true }

    private mutating func noteCopyEnded() {
        if isCopyingIn { groups.noteCopyEnded() }
        isCopyingIn = false
    }

    private mutating func noteError(_ body: UnsafeRawBufferPointer) {
        noteCopyEnded()
        groups.noteError()
        if let range = body.errorField(UInt8(ascii: "C")), range.count == 5 { known.lastSQLState = body.text(range) }
    }

    private mutating func noteParameter(_ body: UnsafeRawBufferPointer) {
        guard let name = body.stringRange(at: 0), name.count == 16, body.text(name) == "application_name" else {
            return
        }
        let value = body.stringRange(at: 17) ?? 17..<max(17, body.count)
        guard value.upperBound <= body.count else { return }
        known.applicationName = body.text(value)
    }
}

extension WireFacts.TransactionStatus {
    @inline(__always)
    init?(readyForQuery byte: UInt8) {
        switch byte {
        case UInt8(ascii: "I"): self = .idle
        case UInt8(ascii: "T"): self = .inTransaction
        case UInt8(ascii: "E"): self = .failed
        default: return nil
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The value of a field in the body of an ErrorResponse.
    func errorField(_ code: UInt8) -> Range<Int>? {
        var at = 0
        while at < count, self[at] != 0, let value = stringRange(at: at + 1) {
            if self[at] == code { return value }
            at = value.upperBound + 1
        }
        return nil
    }
}
