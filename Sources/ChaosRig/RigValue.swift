/// A value in a statement or in a row.
public enum RigValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case text(String)

    /// As PostgreSQL reads it in text format; `nil` for NULL.
    public var text: String? {
        switch self {
        case .null: nil
        case .bool(let value): value ? "t" : "f"
        case .int(let value): "\(value)"
        case .double(let value): "\(value)"
        case .text(let value): value
        }
    }
}

/// How many connections a pool has.
public struct RigGauges: Sendable, Hashable {
    /// All that are open, lent or not.
    public var open: Int
    /// Of these the ones that are not lent.
    public var idle: Int
    /// On their way to be open.
    public var connecting: Int
    /// Callers that wait for one.
    public var waiting: Int

    public init(open: Int, idle: Int, connecting: Int = 0, waiting: Int = 0) {
        self.open = open
        self.idle = idle
        self.connecting = connecting
        self.waiting = waiting
    }
}

/// What an error of a pool means: what may have happened to a write that ended so depends on it.
public enum RigFailure: Sendable, Hashable {
    /// The server answered with this SQLSTATE, whether or not it kept the connection.
    case server(sqlState: String)
    /// A limit passed: of the wait for a connection, or of a statement.
    case timedOut
    /// The calling task was cancelled.
    case cancelled
    /// No connection could be opened.
    case connectFailed
    /// The pool refused: closed, or too many waiters.
    case refused
    /// The connection died without a word.
    case connectionLost
    /// Nobody knows. Before there is a connection it counts as ``connectFailed``, afterwards as ``connectionLost``.
    case unknown
}
