/// One line of the history. Everything that happens in a run is one of these; checkers see nothing else.
package struct Event: Sendable, Equatable {
    /// Jepsen's four words, and the mark that closes the history.
    package enum Kind: String, Sendable {
        /// A worker is about to try an operation.
        case invoke
        /// The operation happened.
        case ok
        /// The operation certainly did not happen and never will.
        case fail
        /// The operation may or may not have happened; or, from the rig itself, a fact.
        case info
        /// The last line: number of events and digest.
        case end
    }

    /// Who speaks.
    package enum Process: Hashable, Sendable {
        /// A client of the workload. It continues under a new number after an `info`.
        case worker(Int)
        /// Fault injection, and the phases of the run.
        case nemesis
        /// The pool under test, about itself.
        case pool
        /// Facts from outside the pool.
        case probe
    }

    /// Position in the history, dense from 0.
    package var index: Int
    /// Nanoseconds since the run's start, monotonic clock. Never decreases along the history.
    package var time: Int64
    package var kind: Kind
    package var process: Process
    /// What: an operation kind, a fault kind, or the name of a fact. `f` in the file.
    package var function: String
    package var value: JSONValue
    /// Set on the completion of an operation.
    package var completion: Completion?

    package init(
        index: Int, time: Int64, kind: Kind, process: Process, function: String, value: JSONValue = .null,
        completion: Completion? = nil
    ) {
        self.index = index
        self.time = time
        self.kind = kind
        self.process = process
        self.function = function
        self.value = value
        self.completion = completion
    }
}

/// How an operation ended, seen by the client that did it.
package struct Completion: Sendable, Equatable {
    /// The number of attempts that were made, from 1; 0 when no connection was ever acquired.
    package var attempt: Int
    /// The pool's number of the connection that was used last.
    package var connection: Int?
    /// The server process behind it.
    package var backendPID: Int?
    /// The longest single call of each sort within this operation, in nanoseconds; `nil` when there was none.
    package var acquireNanoseconds: Int64?
    package var queryNanoseconds: Int64?
    package var releaseNanoseconds: Int64?
    /// Open model: how late the operation started against its schedule, in nanoseconds.
    package var lagNanoseconds: Int64?
    package var error: FailureDescription?
    /// Every attempt, in order; empty when the first one succeeded.
    package var attempts: [Attempt]

    package init(
        attempt: Int = 1, connection: Int? = nil, backendPID: Int? = nil, acquireNanoseconds: Int64? = nil,
        queryNanoseconds: Int64? = nil, releaseNanoseconds: Int64? = nil, lagNanoseconds: Int64? = nil,
        error: FailureDescription? = nil, attempts: [Attempt] = []
    ) {
        self.attempt = attempt
        self.connection = connection
        self.backendPID = backendPID
        self.acquireNanoseconds = acquireNanoseconds
        self.queryNanoseconds = queryNanoseconds
        self.releaseNanoseconds = releaseNanoseconds
        self.lagNanoseconds = lagNanoseconds
        self.error = error
        self.attempts = attempts
    }
}

/// One try of an operation.
package struct Attempt: Sendable, Equatable {
    /// From 1.
    package var number: Int
    /// What this try alone came to.
    package var outcome: Outcome
    package var error: FailureDescription?
    /// The pause before the next try, in nanoseconds; `nil` when there was none.
    package var delayNanoseconds: Int64?
    /// The operation may be done twice without harm (the workload said so).
    package var isIdempotent: Bool
    /// This try began while a transaction of an earlier try of the same operation had been begun and not finished as a
    /// whole: a retry *inside* a transaction, which no policy allows.
    package var insideOpenTransaction: Bool

    package init(
        number: Int, outcome: Outcome, error: FailureDescription? = nil, delayNanoseconds: Int64? = nil,
        isIdempotent: Bool = false, insideOpenTransaction: Bool = false
    ) {
        self.number = number
        self.outcome = outcome
        self.error = error
        self.delayNanoseconds = delayNanoseconds
        self.isIdempotent = isIdempotent
        self.insideOpenTransaction = insideOpenTransaction
    }
}

/// A failure in words that survive the file.
package struct FailureDescription: Sendable, Equatable {
    package var phase: OperationPhase
    /// For example `connection-lost`; see ``FailureCause``.
    package var failureClass: String
    /// Five characters of SQLSTATE, or an `SQLITE_…` name; `nil` when the server said nothing.
    package var code: String?
    package var message: String

    package init(phase: OperationPhase, failureClass: String, code: String?, message: String) {
        self.phase = phase
        self.failureClass = failureClass
        self.code = code
        self.message = message
    }
}
