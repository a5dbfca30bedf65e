/// How bytes go through the cut points.
extension WireInspector {
    /// What is being worked on.
    private struct Work {
        let bytes: UnsafeRawBufferPointer
        let stream: ProxyStream
        /// Up to here bytes have gone on, or are swallowed.
        var start = 0
        /// Up to here it is decided that they go on.
        var at = 0

        var available: Int { bytes.count - at }
        func slice(_ count: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[at..<at + count]) }

        mutating func flush(into effects: inout [WireEffect]) {
            if at > start { effects.append(.pass(Array(bytes[start..<at]))) }
            start = at
        }
    }

    /// - Returns: how many bytes at the end have to be kept.
    mutating func run(
        _ bytes: UnsafeRawBufferPointer, _ stream: ProxyStream, _ gate: inout StreamGate,
        into effects: inout [WireEffect]
    ) -> Int {
        var work = Work(bytes: bytes, stream: stream)
        while work.available > 0, !gate.isDead {
            if reader.isOpaque {
                work.at = bytes.count
            } else if gate.messageLeft > 0 {
                advance(&work, &gate, into: &effects)
            } else if !isAtBoundary(stream) {
                go(min(bytesToGo(stream), work.available), &work)
            } else if !gate.due.isEmpty {
                work.flush(into: &effects)
                effects += gate.due
                gate.due = []
                gate.isDead = true
            } else if let needed = open(&work, &gate, into: &effects) {
                work.flush(into: &effects)
                gate.needed = needed
                return work.available
            }
        }
        if gate.isDead { return 0 }
        work.flush(into: &effects)
        return 0
    }

    private mutating func go(_ count: Int, _ work: inout Work) {
        observe(work.slice(count), work.stream)
        work.at += count
    }

    /// Goes on in a message that was looked at, to its end or to the next appointment.
    private mutating func advance(_ work: inout Work, _ gate: inout StreamGate, into effects: inout [WireEffect]) {
        let count = min(gate.messageLeft, work.available, gate.appointments.first?.bytesLeft ?? .max)
        go(count, &work)
        gate.messageLeft -= count
        if gate.isSwallowing { work.start = work.at }
        if gate.messageLeft == 0 { gate.isSwallowing = false }
        guard !gate.appointments.isEmpty else { return }
        for index in gate.appointments.indices { gate.appointments[index].bytesLeft -= count }
        while let appointment = gate.appointments.first, appointment.bytesLeft == 0, !gate.isDead {
            gate.appointments.removeFirst()
            work.flush(into: &effects)
            strike(appointment.cut, work.stream, &gate, into: &effects)
        }
    }

    /// Looks at the message that begins here, or goes over it.
    ///
    /// - Returns: how many of its bytes must be here first; `nil` when something was done.
    private mutating func open(_ work: inout Work, _ gate: inout StreamGate, into effects: inout [WireEffect]) -> Int? {
        let first = work.bytes[work.at]
        let isTyped = reader.isTyped(work.stream)
        if isTyped
            ? !WireFormat.isKnown(first, work.stream) : work.stream == .downstream || first == WireFormat.tlsHandshake
        {
            // An answer of one byte, the start of an early error, or nothing that is understood: nothing to cut.
            go(1, &work)
            return nil
        }
        let headerSize = isTyped ? 5 : 4
        guard work.available >= headerSize else { return headerSize }
        let length = work.bytes.bigEndian32(at: work.at + headerSize - 4)
        guard isTyped ? (4...UInt32(Int32.max)).contains(length) : (8...WireFormat.startupLimit).contains(length) else {
            go(headerSize, &work)
            return nil
        }
        let size = Int(length) + headerSize - 4
        if isTyped, !plan.watches(first, work.stream) {
            go(min(size, work.available), &work)
            return nil
        }
        let holds =
            !isTyped || plan.holds(first, work.stream)
            // Its SQLSTATE is wanted.
            || (first == UInt8(ascii: "E") && work.stream == .downstream && answers.awaitsSomething)
        let seen = holds ? min(size, Self.keepLimit) : min(size, work.available)
        guard work.available >= seen else { return seen }
        let body = UnsafeRawBufferPointer(rebasing: work.slice(seen)[headerSize...])
        look(
            at: SeenMessage(type: isTyped ? first : nil, body: body, size: size), whole: work.slice(seen), &work, &gate,
            into: &effects)
        return nil
    }

    /// Decides on a message.
    private mutating func look(
        at message: SeenMessage, whole: UnsafeRawBufferPointer, _ work: inout Work, _ gate: inout StreamGate,
        into effects: inout [WireEffect]
    ) {
        var message = message
        gate.messageLeft = message.size
        var entry: AnswerQueue.Entry?
        if let type = message.type {
            if work.stream == .upstream {
                // All is answered: whatever went wrong before ends here.
                if !answers.isFresh, reader.phase == .session, reader.groups.count == 0, !reader.groups.hasUnsynced {
                    answers = AnswerQueue()
                }
                if plan.needsTexts { message.statement = reader.texts.note(type, message.body) }
                entry = AnswerQueue.Entry(type, message.statement)
                if type == UInt8(ascii: "c") || type == UInt8(ascii: "f") { answers.noteCopyEnded() }
            } else if reader.phase == .session {
                // The ReadyForQuery that begins the session answers nothing.
                let answer = answers.answered(type)
                message.statement = answer.text
                if let injection = answer.injection, message.sqlState == injection.sqlState {
                    injection.claim.becomeHit()
                    work.flush(into: &effects)
                    effects.append(.hit(cut: injection.claim.cut))
                }
                if answer.isHidden {
                    if type == UInt8(ascii: "C") { reader.hideNextTag() }
                    work.flush(into: &effects)
                    gate.isSwallowing = true
                    return
                }
            }
        }
        var place = 0
        while let index = plan.next(from: place, message.type, work.stream) {
            place = index + 1
            let cut = plan.cuts[index]
            guard cut.rule.matches(message, work.stream, message.type == nil ? introduced(by: whole) : reader) else {
                continue
            }
            let rule = cut.rule
            if case .error(let error) = rule.action, error.severity == .error, !takesErrors { continue }
            guard
                rule.takes(match: cut.record.noteMatch(), of: cut.name)
                    || (rule.match.nth != nil && cut.record.takeOpenTurn())
            else { continue }
            switch (rule.place, rule.action) {
            case (.before, .truncate(let bytes, _)):
                gate.make(.init(bytesLeft: min(bytes, message.size - 1), cut: cut))
            case (.before, .error(let error)) where error.severity == .error:
                guard let claim = cut.record.claim(cut.name, atMost: rule.match.times) else { continue }
                work.flush(into: &effects)
                return inject(error, claim, for: message, &gate, into: &effects)
            case (.before, .error(let error)):
                guard cut.record.noteHit(atMost: rule.match.times) else { continue }
                work.flush(into: &effects)
                effects.append(.hit(cut: cut.name))
                return injectFatal(error, work.stream, &gate, into: &effects)
            case (.before, _):
                work.flush(into: &effects)
                strike(cut, work.stream, &gate, into: &effects)
                if gate.isDead { return }
            case (.inside(let bytes), _):
                let offset = bytes ?? message.size / 2
                gate.make(.init(bytesLeft: min(max(offset, 1), message.size - 1), cut: cut))
            case (.after, _): gate.make(.init(bytesLeft: message.size, cut: cut))
            }
        }
        if let entry { answers.note(entry) }
    }

    /// The server can be made to fail here. In a failed transaction it would answer with 25P02 whatever it is sent, on a
    /// replication connection with 42601.
    private var takesErrors: Bool {
        answers.takesErrors && reader.transaction != .failed && !reader.isReplication
    }

    /// Who it is that connects stands in the startup packet itself.
    private func introduced(by packet: UnsafeRawBufferPointer) -> WireReader {
        var reader = reader
        var place = StreamPlace()
        reader.walk(packet, &place, .upstream)
        return reader
    }
}

extension AnswerQueue.Entry {
    /// For a message of the client; `nil` when nothing answers it.
    init?(_ type: UInt8, _ text: String?) {
        switch type {
        case UInt8(ascii: "P"): self.init(kind: .parse, text: text)
        case UInt8(ascii: "B"): self.init(kind: .bind, text: text)
        case UInt8(ascii: "C"): self.init(kind: .close, text: text)
        case UInt8(ascii: "D"): self.init(kind: .describe, text: text)
        case UInt8(ascii: "E"): self.init(kind: .execute, text: text)
        case UInt8(ascii: "S"): self.init(kind: .sync)
        case UInt8(ascii: "Q"), UInt8(ascii: "F"): self.init(kind: .query, text: text)
        default: return nil
        }
    }
}
