/// What a client may believe about an operation that ended.
public enum Outcome: String, Sendable, Comparable {
    /// It happened.
    case ok
    /// It certainly did not happen and never will.
    case fail
    /// It may or may not have happened, and may still happen.
    case info

    private var doubt: Int {
        switch self {
        case .ok: 0
        case .fail: 1
        case .info: 2
        }
    }

    public static func < (a: Outcome, b: Outcome) -> Bool { a.doubt < b.doubt }
}

/// Where in the life of an operation something failed.
public enum OperationPhase: String, Sendable, CaseIterable {
    /// Waiting for a connection from the pool.
    case acquire
    /// Opening a connection.
    case connect
    /// BEGIN and whatever else opens a transaction.
    case begin
    /// A statement; whether inside a transaction is said beside it.
    case query
    /// COMMIT.
    case commit
    /// ROLLBACK, reset and giving back.
    case release
    /// Closing the pool.
    case close
}

/// Why a call to a database failed. Drivers translate into these words.
public enum FailureCause: Sendable, Equatable {
    /// The server answered with this SQLSTATE and kept the connection.
    case server(sqlState: String)
    /// The server ended the session with this SQLSTATE (severity FATAL or PANIC).
    case sessionEnded(sqlState: String)
    /// The connection died without a word.
    case connectionLost
    /// A limit of the caller passed first.
    case timedOut
    /// The calling task was cancelled.
    case cancelled
    /// No connection could be opened; the code where the server gave one.
    case connectFailed(sqlState: String?)
    /// The embedded database is locked by someone else (SQLITE_BUSY and its extended codes).
    case busy(code: String)
    /// The embedded database failed (any other SQLite code).
    case embedded(code: String)
    /// The pool refused: exhausted, closing, too many waiters.
    case poolRefused
    /// Bytes that are not the protocol. The connection is out of step.
    case protocolViolation

    /// The name used in files.
    public var name: String {
        switch self {
        case .server: "server-error"
        case .sessionEnded: "session-ended"
        case .connectionLost: "connection-lost"
        case .timedOut: "timed-out"
        case .cancelled: "cancelled"
        case .connectFailed: "connect-failed"
        case .busy: "busy"
        case .embedded: "sqlite-error"
        case .poolRefused: "pool-refused"
        case .protocolViolation: "protocol-violation"
        }
    }

    /// The SQLSTATE or SQLite code, where there is one.
    public var code: String? {
        switch self {
        case .server(let state), .sessionEnded(let state): state
        case .connectFailed(let state): state
        case .busy(let code), .embedded(let code): code
        default: nil
        }
    }
}
