import RigModel

/// Learns what became of a COMMIT whose answer was lost, by asking the server on another connection. Statements and how to
/// read their answers; who sends them when is ``Pool/withTransaction(isolation:readOnly:deferrable:retry:doubt:deadline:file:line:_:)``'s.
public protocol CommitInquirer: Sendable {
    /// Asks for the number of the open transaction. Sent inside it, last before COMMIT.
    var askID: SQLStatement { get }

    /// The number in the answer to ``askID``; `nil` when the transaction has written nothing.
    func id(in result: SQLResult) -> String?

    /// Asks, outside the transaction, what became of it.
    func status(of id: String) -> SQLStatement

    /// The answer to ``status(of:)``.
    func read(_ result: SQLResult) -> CommitStatus
}

/// What the server says about a transaction.
public enum CommitStatus: String, Sendable, Equatable {
    case committed
    case aborted
    /// Its session still lives. Ask again later.
    case inProgress = "in-progress"
    /// The server no longer knows.
    case unknown
}

/// What to do when the answer to a COMMIT is lost.
public enum CommitDoubtPolicy: Sendable, Equatable {
    /// Learn the transaction's number before COMMIT (one round trip; not for read-only transactions), and ask the server for
    /// this long what became of it. Where the server cannot tell it is as ``report``.
    case ask(atMost: Duration)
    /// Throw ``CommitInDoubt``.
    case report
}

/// A COMMIT was sent, and nobody can say whether it was done.
public struct CommitInDoubt: Error, Sendable, Equatable, CustomStringConvertible {
    /// Why its answer is missing.
    public var error: DriverError
    /// The server's number of the transaction, where it was asked for.
    public var transactionID: String?
    /// The server's last word; `nil` when it was not asked, or did not answer in time.
    public var lastStatus: CommitStatus?

    public init(error: DriverError, transactionID: String? = nil, lastStatus: CommitStatus? = nil) {
        self.error = error
        self.transactionID = transactionID
        self.lastStatus = lastStatus
    }

    public var description: String {
        let asked =
            switch (transactionID, lastStatus) {
            case (nil, _): "the server was not asked"
            case (let id?, nil): "the server did not say in time what became of transaction \(id)"
            case (let id?, let status?): "the server says that transaction \(id) is \(status.rawValue)"
            }
        return
            "it is not known whether the COMMIT was done (\(error)); \(asked): look for its effects before trying again"
    }
}
