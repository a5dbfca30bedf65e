/// The cut points of a connection, with what they need to see. A value.
struct CutPlan: Sendable {
    /// A set of type bytes.
    struct Types: Sendable {
        private var low: UInt64 = 0
        private var high: UInt64 = 0

        mutating func insert(_ type: UInt8) {
            if type < 64 { low |= 1 << UInt64(type) } else if type < 128 { high |= 1 << UInt64(type - 64) }
        }

        @inline(__always)
        func contains(_ type: UInt8) -> Bool {
            if type < 64 { return low >> UInt64(type) & 1 != 0 }
            return type < 128 && high >> UInt64(type - 64) & 1 != 0
        }
    }

    let cuts: [ActiveCut]
    /// The type byte of each cut point's message, plus 256 for the server's; -1 for a startup packet. A look here costs less
    /// than one at the rule.
    private let types: [Int]
    /// Types that must be looked at, by stream.
    private var watched: (upstream: Types, downstream: Types) = (Types(), Types())
    /// Those of them whose body must be seen first.
    private var held: (upstream: Types, downstream: Types) = (Types(), Types())
    let needsTexts: Bool

    init(_ cuts: [ActiveCut] = []) {
        self.cuts = cuts
        types = cuts.map { cut in
            guard case .typed(let type, _) = cut.rule.message.form else { return -1 }
            return Int(type) + (cut.rule.stream == .downstream ? 256 : 0)
        }
        needsTexts = cuts.contains {
            if $0.rule.match.statement != nil { return true }
            if case .error(let error) = $0.rule.action { return error.severity == .error }
            return false
        }
        // What the queue of answers lives on.
        for type in "PBDECSQFcf".utf8 { watched.upstream.insert(type) }
        for type in "123TntCIsEZVG".utf8 { watched.downstream.insert(type) }
        if needsTexts { for type in "PBDECQ".utf8 { held.upstream.insert(type) } }
        for cut in cuts {
            guard case .typed(let type, let subtype) = cut.rule.message.form else { continue }
            let needsBody =
                subtype != nil || cut.rule.match.tag != nil
                || (type == UInt8(ascii: "Z") && cut.rule.match.transaction != nil)
            if cut.rule.stream == .upstream {
                watched.upstream.insert(type)
                if needsBody { held.upstream.insert(type) }
            } else {
                watched.downstream.insert(type)
                if needsBody { held.downstream.insert(type) }
            }
        }
    }

    /// The place in ``cuts``, from `start`, of the next one that is about such messages.
    @inline(__always)
    func next(from start: Int, _ type: UInt8?, _ stream: ProxyStream) -> Int? {
        let wanted = type.map { Int($0) + (stream == .downstream ? 256 : 0) } ?? -1
        var index = start
        while index < types.count {
            if types[index] == wanted { return index }
            index += 1
        }
        return nil
    }

    @inline(__always)
    func watches(_ type: UInt8, _ stream: ProxyStream) -> Bool {
        stream == .upstream ? watched.upstream.contains(type) : watched.downstream.contains(type)
    }

    func holds(_ type: UInt8, _ stream: ProxyStream) -> Bool {
        stream == .upstream ? held.upstream.contains(type) : held.downstream.contains(type)
    }
}

/// A message that a rule may match.
struct SeenMessage {
    /// `nil` for a startup packet.
    var type: UInt8?
    /// As much of it as is here: what the rules need, and at most the bound.
    var body: UnsafeRawBufferPointer
    /// Of the whole message with type and length.
    var size: Int
    var statement: String?

    /// Of an ErrorResponse.
    var sqlState: String? { body.errorField(UInt8(ascii: "C")).map { body.text($0) } }
}

extension CutRule {
    /// - Parameter reader: what is known of the connection in front of the message; with the message for a startup packet.
    func matches(_ seen: SeenMessage, _ stream: ProxyStream, _ reader: WireReader) -> Bool {
        guard self.stream == stream, message.matches(type: seen.type, body: seen.body) else { return false }
        if let wanted = match.transaction {
            let told =
                seen.type == UInt8(ascii: "Z")
                ? seen.body.first.flatMap { .init(readyForQuery: $0) } : reader.transaction
            if told != wanted { return false }
        }
        if let wanted = match.application, wanted != reader.applicationName { return false }
        if let wanted = match.user, wanted != reader.user { return false }
        if let wanted = match.tag, !Self.isTag(tag(of: seen, reader), wanted) { return false }
        if let pattern = match.statement {
            guard let text = seen.statement, pattern.matches(text) else { return false }
        }
        return true
    }

    private func tag(of seen: SeenMessage, _ reader: WireReader) -> String? {
        guard seen.type == UInt8(ascii: "C") else { return reader.tagSinceReady }
        return seen.body.text(seen.body.stringRange(at: 0) ?? 0..<seen.body.count)
    }

    /// `UPDATE` and `UPDATE 3` are both names of the tag `UPDATE 3`; `COMMIT` is none of `COMMIT PREPARED`.
    private static func isTag(_ tag: String?, _ wanted: String) -> Bool {
        guard let tag = tag?.lowercased() else { return false }
        let wanted = wanted.lowercased()
        guard tag.hasPrefix(wanted) else { return false }
        let counts = tag.dropFirst(wanted.count)
        return counts.isEmpty || (counts.first == " " && counts.allSatisfy { $0 == " " || ("0"..."9").contains($0) })
    }
}
