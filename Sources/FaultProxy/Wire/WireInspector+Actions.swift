/// What is done at a cut point.
extension WireInspector {
    /// Takes the action of a rule, unless it was taken often enough. Not for errors.
    mutating func strike(
        _ cut: ActiveCut, _ stream: ProxyStream, _ gate: inout StreamGate, into effects: inout [WireEffect]
    ) {
        guard cut.record.noteHit(atMost: cut.rule.match.times) else { return }
        effects.append(.hit(cut: cut.name))
        switch cut.rule.action {
        case .reset: end(.reset, stream, &gate, into: &effects)
        case .finish: end(.finish, stream, &gate, into: &effects)
        case .truncate(_, let manner): end(manner, stream, &gate, into: &effects)
        case .blackhole(let streams):
            effects.append(.blackhole(streams))
            if streams.contains(stream) { gate.isDead = true }
            if streams.contains(stream.opposite) { withGate(stream.opposite) { $0.kill() } }
        case .delay(let duration): effects.append(.delay(duration))
        case .error: break
        }
    }

    private mutating func end(
        _ manner: CloseManner, _ stream: ProxyStream, _ gate: inout StreamGate, into effects: inout [WireEffect]
    ) {
        effects.append(.close(manner))
        gate.kill()
        withGate(stream.opposite) { $0.kill() }
    }

    /// Gives the client an ERROR instead of what the message would have brought. It comes from the server, which gets a
    /// statement that fails with this error in place of the message: so both sides agree on the state of the transaction
    /// afterwards. It is a hit when it has come.
    mutating func inject(
        _ error: InjectedError, _ claim: HitClaim, for message: SeenMessage, _ gate: inout StreamGate,
        into effects: inout [WireEffect]
    ) {
        let injection = AnswerQueue.Injection(sqlState: error.sqlState, claim: claim)
        let isCarriedOut = message.type == UInt8(ascii: "Q") || message.type == UInt8(ascii: "E")
        // What is not answered yet may have begun a transaction; a ROLLBACK without one brings a warning only.
        let mayBeInTransaction =
            reader.transaction == .inTransaction || reader.groups.count > 0 || reader.groups.hasUnsynced
        // A COMMIT that fails ends its transaction all the same.
        let rollsBack =
            isCarriedOut && mayBeInTransaction && message.statement.map(CommitText.endsWithCommit) == true
        gate.isSwallowing = true
        if message.type == UInt8(ascii: "Q") || message.type == UInt8(ascii: "F") {
            effects.append(.pass(error.simple(rollingBack: rollsBack)))
            answers.note(.init(kind: .query, text: message.statement, hidesTag: rollsBack, injection: injection))
            return
        }
        effects.append(.pass(error.extended(rollingBack: rollsBack)))
        for isLast in rollsBack ? [false, true] : [true] {
            for kind in [AnswerQueue.Kind.close, .parse, .bind, .execute] {
                let fails = isLast && kind == .execute
                answers.note(
                    .init(kind: kind, text: message.statement, isOurs: true, injection: fails ? injection : nil))
            }
        }
    }

    /// Gives the client a FATAL error. It comes from the proxy, and the connection ends.
    mutating func injectFatal(
        _ error: InjectedError, _ stream: ProxyStream, _ gate: inout StreamGate, into effects: inout [WireEffect]
    ) {
        if stream == .upstream, !isAtBoundary(.downstream) {
            // The client is in the middle of a message: the error comes behind it.
            gate.kill()
            withGate(.downstream) { $0.due = [.answer(error.response), .close(.finish)] }
            return
        }
        effects.append(.answer(error.response))
        end(.finish, stream, &gate, into: &effects)
    }
}

extension StreamGate {
    /// Nothing goes on any more.
    mutating func kill() {
        self = StreamGate()
        isDead = true
    }
}
