public import RigModel
public import Threading

/// Opens connections to one database. The pool knows a database by this protocol only.
public protocol Driver<Connection>: Sendable {
    associatedtype Connection: DriverConnection

    /// Opens a connection that is ready for use, or throws by the deadline. Leaves nothing behind when it throws or is
    /// cancelled.
    func connect(deadline: MonotonicInstant) async throws(DriverError) -> Connection

    /// How often a statement was found prepared on its connection, over all connections since the driver began.
    var statementCacheCounts: StatementCacheCounts { get }

    /// The words of its database.
    var dialect: any SQLDialect { get }
}

extension Driver {
    public var dialect: any SQLDialect { StandardDialect() }

    public var statementCacheCounts: StatementCacheCounts { StatementCacheCounts() }
}

/// Uses of the caches of prepared statements.
public struct StatementCacheCounts: Sendable, Equatable {
    /// Executions that found their statement prepared.
    public var hits = 0
    /// Executions that had to prepare it.
    public var misses = 0

    public init(hits: Int = 0, misses: Int = 0) {
        self.hits = hits
        self.misses = misses
    }
}

/// One open connection. Used by one borrower at a time; only ``abort()`` may be called beside a running call.
public protocol DriverConnection: AnyObject, Sendable {
    /// The server process that serves it; `nil` for an embedded database.
    var backendPID: Int? { get }

    /// What the protocol says about the session now, without a round trip.
    var transactionStatus: TransactionStatus { get }

    /// The number of the event loop that does its waiting; -1 where it has none. A borrower on that loop uses the connection
    /// without a change of thread, so the pool lends it to such a borrower first.
    var affinity: Int32 { get }

    /// A look at the socket without a round trip (about a microsecond): `false` when the server has already closed it
    /// or has sent something that nobody asked for.
    func looksAlive() -> Bool

    /// The same for a connection that came back this long ago: after a moment too short to lose much in, it may do without a
    /// system call. On the path of every acquire.
    func looksAlive(idleNanoseconds: UInt64) -> Bool

    /// Calls `notice`, on any thread, when the connection sees while nobody waits on it that the server has closed it or has
    /// said something. It may call while the connection is in use, too. May never call: then the next look finds it.
    func onIdleEvent(_ notice: @escaping @Sendable () -> Void)

    /// Runs one statement and returns its rows. A COMMIT that the server answers with a rollback throws. After a timeout or a cancellation the connection is out of step:
    /// ``transactionStatus`` is then ``TransactionStatus/unusable`` and it must be discarded.
    func execute(_ statement: SQLStatement, deadline: MonotonicInstant) async throws(DriverError) -> SQLResult

    /// Runs several statements with as few round trips as the database can.
    ///
    /// - Returns: a result for each statement, in order. Never throws: a batch that was not sent has the same error in every
    ///   item. What may have happened is in each item's own error.
    func execute(
        batch: [SQLStatement], atomicity: BatchAtomicity, deadline: MonotonicInstant
    ) async -> [Result<SQLResult, DriverError>]

    /// One cheap round trip that proves that the server still answers.
    func check(deadline: MonotonicInstant) async throws(DriverError)

    /// Brings the session back to a clean state, as far as the policy asks for it.
    func reset(_ policy: ResetPolicy, deadline: MonotonicInstant) async throws(DriverError)

    /// Asks the server to end the statement that runs now, by a way of its own; best effort. The statement's own call
    /// answers, soon, with an error of the server. Any thread.
    func cancelRunningStatement(deadline: MonotonicInstant) async

    /// Says goodbye and frees everything, by the deadline at the latest; then by force. Never fails, may be called once.
    func close(deadline: MonotonicInstant) async

    /// Cuts the connection at once from any thread; a call that is running on it ends soon, and none after it succeeds.
    /// What it holds is freed by ``close(deadline:)``, or when the object goes. May be called during and after a close.
    func abort()
}

extension DriverConnection {
    public var affinity: Int32 { -1 }

    public func looksAlive(idleNanoseconds: UInt64) -> Bool { looksAlive() }

    public func onIdleEvent(_ notice: @escaping @Sendable () -> Void) {}
}

/// What a failed statement of a batch does to the others.
public enum BatchAtomicity: Sendable, Equatable {
    /// All are applied or none: the first failure ends the batch, and those after it are not run.
    case allOrNothing
    /// Each stands for itself. Outside a transaction each commits on its own.
    case independent
}

/// What a connection that comes back is cleaned of.
public enum ResetPolicy: String, Sendable, CaseIterable {
    /// Nothing: a connection with an open transaction is closed instead.
    case none
    /// An open transaction is rolled back. Settings, locks and temporary tables of the session stay.
    case rollback
    /// The session is as new for the next borrower; each release costs a round trip in the background.
    case full
}

/// What the session is in, as the protocol tells.
public enum TransactionStatus: String, Sendable {
    case idle
    case inTransaction = "in-transaction"
    /// In a transaction that can only be rolled back.
    case failedTransaction = "failed-transaction"
    /// Closed, out of step, or in the middle of a statement: must not be used again.
    case unusable
}

/// A statement with `$1`, `$2`, … for its parameters, in any driver.
public struct SQLStatement: Sendable, Equatable {
    public enum Role: Sendable, Equatable {
        case begin
        case commit
        case rollback
        /// No effect that could be doubted.
        case read
        case write
    }

    public var text: String
    public var parameters: [SQLValue]
    public var role: Role

    public init(_ text: String, _ parameters: [SQLValue] = [], role: Role) {
        self.text = text
        self.parameters = parameters
        self.role = role
    }

    public static let commit = SQLStatement("COMMIT", role: .commit)
    public static let rollback = SQLStatement("ROLLBACK", role: .rollback)
}

public enum SQLValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case text(String)

    public var intValue: Int64? { if case .int(let value) = self { value } else { nil } }
    public var textValue: String? { if case .text(let value) = self { value } else { nil } }
}

/// The rows of a statement, in order, and how many rows it changed.
public struct SQLResult: Sendable, Equatable {
    public var rows: [[SQLValue]]
    public var affectedRows: Int

    public init(rows: [[SQLValue]] = [], affectedRows: Int = 0) {
        self.rows = rows
        self.affectedRows = affectedRows
    }
}

/// Why a driver call failed.
public struct DriverError: Error, Sendable, Equatable, CustomStringConvertible {
    public var cause: FailureCause
    /// The server's or the system's words, one line.
    public var message: String
    /// `false` only when no byte of the request left this process.
    public var requestSent: Bool

    public init(_ cause: FailureCause, _ message: String, requestSent: Bool = true) {
        self.cause = cause
        self.message = message
        self.requestSent = requestSent
    }

    public var description: String { "\(cause.name)\(cause.code.map { " [\($0)]" } ?? ""): \(message)" }

    /// The connection cannot be trusted any more: discard it, and suspect every other one that is as old.
    public var provesLoss: Bool {
        switch cause {
        case .connectionLost, .sessionEnded, .protocolViolation: true
        default: false
        }
    }
}
