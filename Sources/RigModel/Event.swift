/// One line of the history. Everything that happens in a run is one of these; checkers see nothing else.
public struct Event: Sendable, Equatable {
    /// Jepsen's four words, and the mark that closes the history.
    public enum Kind: String, Sendable {
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
    public enum Process: Hashable, Sendable {
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
    public var index: Int
    /// Nanoseconds since the run's start, monotonic clock. Never decreases along the history.
    public var time: Int64
    public var kind: Kind
    public var process: Process
    /// What: an operation kind, a fault kind, or the name of a fact. `f` in the file.
    public var function: String
    public var value: JSONValue
    /// Set on the completion of an operation.
    public var completion: Completion?

    public init(
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
public struct Completion: Sendable, Equatable {
    /// The number of attempts that were made, from 1; 0 when no connection was ever acquired.
    public var attempt: Int
    /// The pool's number of the connection that was used last.
    public var connection: Int?
    /// The server process behind it.
    public var backendPID: Int?
    /// The longest single call of each sort within this operation, in nanoseconds; `nil` when there was none.
    public var acquireNanoseconds: Int64?
    public var queryNanoseconds: Int64?
    public var releaseNanoseconds: Int64?
    /// Open model: how late the operation started against its schedule, in nanoseconds.
    public var lagNanoseconds: Int64?
    public var error: FailureDescription?
    /// Every attempt, in order; empty when the first one succeeded.
    public var attempts: [Attempt]
    /// When the last connection was handed out and when it had been given back, in nanoseconds since the run's start, seen by
    /// the client: it certainly held it from the one to the begin of the release, which is `releaseNanoseconds` before the other.
    public var leasedAt: Int64?
    public var returnedAt: Int64?
    /// What the client did or saw beside the operation itself (how it behaved, what it found on the connection): an object, see
    /// docs/history.md.
    public var notes: JSONValue?

    public init(
        attempt: Int = 1, connection: Int? = nil, backendPID: Int? = nil, acquireNanoseconds: Int64? = nil,
        queryNanoseconds: Int64? = nil, releaseNanoseconds: Int64? = nil, lagNanoseconds: Int64? = nil,
        error: FailureDescription? = nil, attempts: [Attempt] = [], leasedAt: Int64? = nil, returnedAt: Int64? = nil,
        notes: JSONValue? = nil
    ) {
        self.leasedAt = leasedAt
        self.returnedAt = returnedAt
        self.notes = notes
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
public struct Attempt: Sendable, Equatable {
    /// From 1.
    public var number: Int
    /// What this try alone came to.
    public var outcome: Outcome
    public var error: FailureDescription?
    /// The pause before the next try, in nanoseconds; `nil` when there was none.
    public var delayNanoseconds: Int64?
    /// The operation may be done twice without harm (the workload said so).
    public var isIdempotent: Bool
    /// This try began while a transaction of an earlier try of the same operation had been begun and not finished as a
    /// whole: a retry *inside* a transaction, which no policy allows.
    public var insideOpenTransaction: Bool
    /// The answer to its COMMIT was lost; `error` says how. `outcome` is then what the server said when it was asked.
    public var doubt: CommitDoubt?
    /// The connection that this try was lent, and when, in nanoseconds since the run's start; `nil` when it was lent none.
    public var connection: Int?
    public var leasedAt: Int64?

    public init(
        number: Int, outcome: Outcome, error: FailureDescription? = nil, delayNanoseconds: Int64? = nil,
        isIdempotent: Bool = false, insideOpenTransaction: Bool = false, doubt: CommitDoubt? = nil,
        connection: Int? = nil, leasedAt: Int64? = nil
    ) {
        self.doubt = doubt
        self.connection = connection
        self.leasedAt = leasedAt
        self.number = number
        self.outcome = outcome
        self.error = error
        self.delayNanoseconds = delayNanoseconds
        self.isIdempotent = isIdempotent
        self.insideOpenTransaction = insideOpenTransaction
    }
}

/// A failure in words that survive the file.
public struct FailureDescription: Sendable, Equatable {
    public var phase: OperationPhase
    /// For example `connection-lost`; see ``FailureCause``.
    public var failureClass: String
    /// Five characters of SQLSTATE, or an `SQLITE_…` name; `nil` when the server said nothing.
    public var code: String?
    public var message: String

    public init(phase: OperationPhase, failureClass: String, code: String?, message: String) {
        self.phase = phase
        self.failureClass = failureClass
        self.code = code
        self.message = message
    }
}

/// A COMMIT whose answer was lost, and what the server said when it was asked.
public struct CommitDoubt: Sendable, Equatable {
    /// What became of the transaction.
    public enum End: String, Sendable, CaseIterable {
        case committed
        case aborted
        /// Nobody could say.
        case unknown
    }

    /// The server's number of it; `nil` when it had written nothing.
    public var transactionID: String?
    public var end: End
    /// From the lost answer to the server's word.
    public var askedNanoseconds: Int64

    public init(transactionID: String?, end: End, askedNanoseconds: Int64) {
        self.transactionID = transactionID
        self.end = end
        self.askedNanoseconds = askedNanoseconds
    }
}
