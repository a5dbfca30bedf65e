package import RigModel
package import Threading

/// Opens connections to one database. The pool knows a database by this protocol only.
package protocol Driver<Connection>: Sendable {
    associatedtype Connection: DriverConnection

    /// Opens a connection that is ready for use, or throws by the deadline. Leaves nothing behind when it throws or is
    /// cancelled.
    func connect(deadline: MonotonicInstant) async throws(DriverError) -> Connection
}

/// One open connection. Used by one borrower at a time; only ``abort()`` may be called beside a running call.
package protocol DriverConnection: AnyObject, Sendable {
    /// The server process that serves it; `nil` for an embedded database.
    var backendPID: Int? { get }

    /// What the protocol says about the session now, without a round trip.
    var transactionStatus: TransactionStatus { get }

    /// A look at the socket without a round trip (about a microsecond): `false` when the server has already closed it
    /// or has sent something that nobody asked for.
    func looksAlive() -> Bool

    /// Runs one statement and returns its rows. A COMMIT that the server answers with a rollback throws. After a timeout or a cancellation the connection is out of step:
    /// ``transactionStatus`` is then ``TransactionStatus/unusable`` and it must be discarded.
    func execute(_ statement: SQLStatement, deadline: MonotonicInstant) async throws(DriverError) -> SQLResult

    /// One cheap round trip that proves that the server still answers.
    func check(deadline: MonotonicInstant) async throws(DriverError)

    /// Brings the session back to a clean state: rolls back an open transaction.
    func reset(deadline: MonotonicInstant) async throws(DriverError)

    /// Says goodbye and frees everything, by the deadline at the latest; then by force. Never fails, may be called once.
    func close(deadline: MonotonicInstant) async

    /// Cuts the connection at once from any thread; a call that is running on it ends soon, and none after it succeeds.
    /// What it holds is freed by ``close(deadline:)``, or when the object goes. May be called during and after a close.
    func abort()
}

/// What the session is in, as the protocol tells.
package enum TransactionStatus: String, Sendable {
    case idle
    case inTransaction = "in-transaction"
    /// In a transaction that can only be rolled back.
    case failedTransaction = "failed-transaction"
    /// Closed, out of step, or in the middle of a statement: must not be used again.
    case unusable
}

/// A statement with `$1`, `$2`, … for its parameters, in any driver.
package struct SQLStatement: Sendable, Equatable {
    package enum Role: Sendable, Equatable {
        case begin
        case commit
        case rollback
        /// No effect that could be doubted.
        case read
        case write
    }

    package var text: String
    package var parameters: [SQLValue]
    package var role: Role

    package init(_ text: String, _ parameters: [SQLValue] = [], role: Role) {
        self.text = text
        self.parameters = parameters
        self.role = role
    }

    package static let commit = SQLStatement("COMMIT", role: .commit)
    package static let rollback = SQLStatement("ROLLBACK", role: .rollback)
}

package enum SQLValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case text(String)

    package var intValue: Int64? { if case .int(let value) = self { value } else { nil } }
    package var textValue: String? { if case .text(let value) = self { value } else { nil } }
}

/// The rows of a statement, in order, and how many rows it changed.
package struct SQLResult: Sendable, Equatable {
    package var rows: [[SQLValue]]
    package var affectedRows: Int

    package init(rows: [[SQLValue]] = [], affectedRows: Int = 0) {
        self.rows = rows
        self.affectedRows = affectedRows
    }
}

/// Why a driver call failed.
package struct DriverError: Error, Sendable, Equatable, CustomStringConvertible {
    package var cause: FailureCause
    /// The server's or the system's words, one line.
    package var message: String
    /// `false` only when no byte of the request left this process.
    package var requestSent: Bool

    package init(_ cause: FailureCause, _ message: String, requestSent: Bool = true) {
        self.cause = cause
        self.message = message
        self.requestSent = requestSent
    }

    package var description: String { "\(cause.name)\(cause.code.map { " [\($0)]" } ?? ""): \(message)" }

    /// The connection cannot be trusted any more: discard it, and suspect every other one that is as old.
    package var provesLoss: Bool {
        switch cause {
        case .connectionLost, .sessionEnded, .protocolViolation: true
        default: false
        }
    }
}
