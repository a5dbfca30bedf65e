/// The texts of the prepared statements and portals of a connection. Bounded: the oldest named texts go first, and where
/// they are used again no rule with a pattern matches. The unnamed statement is always known.
///
/// Named statements are always known, so that a cut point that comes later finds those that a driver has prepared long
/// before; unnamed ones and portals only while a rule asks for texts.
struct StatementTexts: Sendable {
    private static let countLimit = 512
    /// Of one text, and of all together.
    static let textLimit = 16_384
    private static let bytesLimit = 1 << 18
    /// Of a name; statements and portals with longer ones are not known. PostgreSQL itself has no limit.
    private static let nameLimit = 256

    private var statements: [String: String] = [:]
    private var order: [String] = []
    private var bytes = 0
    private var portals: [String: String] = [:]
    private var portalBytes = 0

    /// Takes note of a Parse, if its statement has a name, or of a Close.
    @inline(__always)
    mutating func noteNamed(_ type: UInt8, _ body: UnsafeRawBufferPointer) {
        guard let first = body.first, first != 0, type == UInt8(ascii: "P") || !order.isEmpty else { return }
        _ = note(type, body)
    }

    /// Forgets what no rule asks for any more.
    mutating func keepNamedOnly() {
        forgetPortals()
        forget("")
    }

    /// Takes note of a message of the client.
    ///
    /// - Returns: the text of the statement that it carries or uses; `nil` when that is not known.
    mutating func note(_ type: UInt8, _ body: UnsafeRawBufferPointer) -> String? {
        switch type {
        case UInt8(ascii: "Q"): return body.text(body.stringRange(at: 0) ?? 0..<body.count)
        case UInt8(ascii: "P"):
            guard let name = body.stringRange(at: 0) else { return nil }
            let start = name.upperBound + 1
            let text = body.text(body.stringRange(at: start) ?? start..<body.count)
            if name.count <= Self.nameLimit { remember(body.text(name), text) }
            return text
        case UInt8(ascii: "B"):
            guard let portal = body.stringRange(at: 0),
                let name = body.stringRange(at: portal.upperBound + 1)
            else { return nil }
            let text = name.count <= Self.nameLimit ? statements[body.text(name)] : nil
            if portal.count <= Self.nameLimit { bind(body.text(portal), text) }
            return text
        case UInt8(ascii: "E"):
            guard let portal = body.stringRange(at: 0), portal.count <= Self.nameLimit else { return nil }
            return portals[body.text(portal)]
        case UInt8(ascii: "D"), UInt8(ascii: "C"):
            guard let first = body.first, let range = body.stringRange(at: 1), range.count <= Self.nameLimit else {
                return nil
            }
            let name = body.text(range)
            let isStatement = first == UInt8(ascii: "S")
            let text = isStatement ? statements[name] : portals[name]
            if type == UInt8(ascii: "C") { if isStatement { forget(name) } else { bind(name, nil) } }
            return text
        default: return nil
        }
    }

    private mutating func remember(_ name: String, _ text: String) {
        let kept =
            text.utf8.count <= Self.textLimit ? text : String(decoding: text.utf8.prefix(Self.textLimit), as: UTF8.self)
        if let old = statements.updateValue(kept, forKey: name) {
            bytes -= old.utf8.count
        } else {
            order.append(name)
            bytes += name.utf8.count
        }
        bytes += kept.utf8.count
        while order.count > Self.countLimit || bytes > Self.bytesLimit {
            // The unnamed statement has the place of its first Parse, and is used all the time.
            guard let oldest = order.first(where: { !$0.isEmpty }) else { return }
            forget(oldest)
        }
    }

    /// A portal can keep the text of a statement that is forgotten, so its text counts here too.
    private mutating func bind(_ portal: String, _ text: String?) {
        if let old = portals.removeValue(forKey: portal) { portalBytes -= old.utf8.count + portal.utf8.count }
        guard let text else { return }
        let more = text.utf8.count + portal.utf8.count
        if portals.count >= Self.countLimit || portalBytes + more > Self.bytesLimit { forgetPortals() }
        portals[portal] = text
        portalBytes += more
    }

    private mutating func forgetPortals() {
        portals = [:]
        portalBytes = 0
    }

    /// Of all names and texts that are kept.
    var keptBytes: Int { bytes + portalBytes }

    private mutating func forget(_ name: String) {
        guard let old = statements.removeValue(forKey: name) else { return }
        bytes -= old.utf8.count + name.utf8.count
        order.removeAll { $0 == name }
    }
}
