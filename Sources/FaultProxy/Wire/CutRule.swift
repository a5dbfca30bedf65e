import RigModel

/// Where a connection is cut, and how. A value.
///
/// Written as JSON (``init(json:)``), or in words (``init(words:)``): `before CommandComplete tag=COMMIT do reset times=3`.
package struct CutRule: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        case before
        case after
        /// Behind so many bytes of the message, its type and length included; `nil` for its half. Never behind its end.
        case inside(bytes: Int?)
    }

    package enum Action: Sendable, Equatable {
        case reset
        case finish
        case blackhole([ProxyStream])
        /// Later bytes of the stream wait for so long.
        case delay(Duration)
        /// So many bytes of the message go on, then the connection ends.
        case truncate(bytes: Int, CloseManner)
        /// The client gets an error instead of what the message would have brought.
        case error(InjectedError)
    }

    /// What has to be true for a message to count as a match, and which matches are hits. `nil` means any.
    package struct Match: Sendable, Equatable {
        /// In the text of the statement that the message carries, uses or answers.
        package var statement: StatementPattern?
        /// The tag of CommandComplete, with or without its counts; for ReadyForQuery the last tag that it ends.
        package var tag: String?
        /// The last that ReadyForQuery said; of a ReadyForQuery what it says itself.
        package var transaction: WireFacts.TransactionStatus?
        package var application: String?
        package var user: String?
        /// Only this match, counted from 1 over all connections of the proxy.
        package var nth: Int?
        /// Only every so-manieth match.
        package var every: Int?
        /// Only so many hits at most.
        package var times: Int?
        /// This share of the matches, 0…1, chosen by the seed and the match's number.
        package var share: Double?

        package init() {}
    }

    package var place: Place
    package var message: WireMessage
    package var stream: ProxyStream
    package var match: Match
    package var action: Action
    /// For ``Match/share``.
    package var seed: UInt64

    /// - Throws: ``CutRuleError`` for what can't be.
    package init(
        _ place: Place, _ message: WireMessage, stream: ProxyStream? = nil, match: Match = Match(), do action: Action,
        seed: UInt64 = 0
    ) throws(CutRuleError) {
        self.place = place
        self.message = message
        guard let found = stream ?? message.stream else {
            throw CutRuleError("stream", "\(message.name) comes in both streams: say upstream or downstream")
        }
        if let only = message.stream, only != found {
            throw CutRuleError("stream", "\(message.name) comes \(only.rawValue) only")
        }
        self.stream = found
        self.match = match
        self.action = action
        self.seed = seed
        try check()
    }
}

extension CutRule {
    private func check() throws(CutRuleError) {
        if match.statement != nil, !message.hasStatement {
            throw CutRuleError("statement", "\(message.name) belongs to no statement")
        }
        if match.tag != nil, message.name != "CommandComplete", message.name != "ReadyForQuery" {
            throw CutRuleError("tag", "\(message.name) has no command tag; CommandComplete and ReadyForQuery have")
        }
        if match.tag?.isEmpty == true { throw CutRuleError("tag", "it is empty") }
        if match.nth != nil, match.every != nil { throw CutRuleError("every", "goes not with nth: take one of them") }
        for (key, number) in [("nth", match.nth), ("every", match.every), ("times", match.times)] {
            if let number, number < 1 { throw CutRuleError(key, "\(number) is less than 1") }
        }
        if let share = match.share, !(0...1).contains(share) {
            throw CutRuleError("share", "\(share) is not between 0 and 1")
        }
        if message.isStartup, message.name != "StartupMessage" {
            for (key, name) in [("user", match.user), ("application", match.application)] where name != nil {
                throw CutRuleError(key, "\(message.name) does not say who it is; StartupMessage does")
            }
        }
        if message.isStartup, match.transaction != nil {
            throw CutRuleError("transaction", "before a session there is no transaction")
        }
        if case .inside(let bytes?) = place, bytes < 1 {
            throw CutRuleError("bytes", "\(bytes) is less than 1; to cut in front of the message say before")
        }
        switch action {
        case .reset, .finish: break
        case .blackhole(let streams): if streams.isEmpty { throw CutRuleError("streams", "no stream is named") }
        case .delay(let duration):
            guard duration > .zero, duration <= .seconds(86_400) else {
                throw CutRuleError("delay", "more than nothing and at most a day is wanted")
            }
        case .truncate(let bytes, _):
            guard place == .before else { throw CutRuleError("action", "truncate goes with before only") }
            guard bytes >= 1 else { throw CutRuleError("bytes", "\(bytes) is less than 1") }
        case .error(let error): try check(error)
        }
    }

    private func check(_ error: InjectedError) throws(CutRuleError) {
        guard place == .before else { throw CutRuleError("action", "error goes with before only") }
        if message.isStartup, message.name != "StartupMessage" {
            throw CutRuleError("action", "nobody reads an ErrorResponse to \(message.name)")
        }
        guard error.severity == .error else { return }
        if message.isBeforeSession {
            throw CutRuleError("severity", "before a session every error is FATAL")
        }
        if !["Query", "Parse", "Bind", "Describe", "Execute", "FunctionCall"].contains(message.name) {
            throw CutRuleError(
                "severity",
                "ERROR is for Query, Parse, Bind, Describe, Execute and FunctionCall, where the server can be made to fail"
                    + " too; for \(message.name) take FATAL")
        }
    }

    /// The match with this number, from 1, is one to act on.
    func takes(match number: Int, of name: String) -> Bool {
        if let nth = match.nth, nth != number { return false }
        if let every = match.every, !number.isMultiple(of: every) { return false }
        guard let share = match.share else { return true }
        var generator = SeededGenerator(seed: seed &+ UInt64(number), stream: name)
        return generator.nextUnit() < share
    }
}
