package import Threading

/// Is told what borrowers do: the seam between a lease and everything that watches it.
///
/// Called in the borrower's own task (so task-local values are the borrower's), outside every lock, and on the hot path:
/// must not block, and should leave quickly what it does not want. The calls about one connection come in order: a lease
/// begins, its statements end one after the other, the lease ends.
package protocol LeaseWatcher: Sendable {
    /// What it wants to be told now. Asked before each call, so that a watcher without listeners costs a look at this alone.
    var interest: WatchInterest { get }

    /// Somebody wants a connection. A lease, or a failure, follows.
    func acquireBegan(_ site: BorrowSite, at: MonotonicInstant)
    func acquireFailed(_ site: BorrowSite, _ error: PoolError, at: MonotonicInstant)
    func leaseBegan(_ lease: LeaseObservation)
    /// A call proved the connection dead.
    func connectionLost(_ lease: LeaseObservation, _ error: DriverError)
    func statementEnded(_ statement: StatementObservation)
    func leaseEnded(_ lease: LeaseObservation, _ end: LeaseEnd)
}

extension LeaseWatcher {
    package func acquireBegan(_ site: BorrowSite, at: MonotonicInstant) {}
    package func acquireFailed(_ site: BorrowSite, _ error: PoolError, at: MonotonicInstant) {}
    package func leaseBegan(_ lease: LeaseObservation) {}
    package func connectionLost(_ lease: LeaseObservation, _ error: DriverError) {}
    package func statementEnded(_ statement: StatementObservation) {}
    package func leaseEnded(_ lease: LeaseObservation, _ end: LeaseEnd) {}
}

/// The kinds of things that a ``LeaseWatcher`` can be told.
package struct WatchInterest: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Acquires, begin and end of leases, losses.
    package static let leases = WatchInterest(rawValue: 1)
    /// Ends of statements. Costs two readings of the clock for each statement.
    package static let statements = WatchInterest(rawValue: 2)
}

/// A lease, as its watchers see it.
package struct LeaseObservation: Sendable, Equatable {
    /// The pool's number of the connection. One lease at a time has it.
    package var connection: Int
    package var backendPID: Int?
    package var site: BorrowSite
    /// When it began, or ended.
    package var at: MonotonicInstant

    package init(connection: Int, backendPID: Int?, site: BorrowSite, at: MonotonicInstant) {
        self.connection = connection
        self.backendPID = backendPID
        self.site = site
        self.at = at
    }
}

/// How a lease ended.
package enum LeaseEnd: Sendable, Equatable {
    /// Given back with the session in this state.
    case released(TransactionStatus)
    /// It died unreleased.
    case leaked
}

/// A statement or a batch that has ended.
package struct StatementObservation: Sendable {
    /// Of a batch, the first one.
    package var statement: SQLStatement
    /// Statements that went together: 1, or the size of the batch.
    package var count: Int
    package var connection: Int
    package var backendPID: Int?
    package var site: BorrowSite
    package var startedAt: MonotonicInstant
    package var nanoseconds: Int64
    package var rows: Int
    package var affectedRows: Int
    /// The first failure of a batch.
    package var error: DriverError?

    package init(
        statement: SQLStatement, count: Int = 1, connection: Int, backendPID: Int?, site: BorrowSite,
        startedAt: MonotonicInstant, nanoseconds: Int64, rows: Int = 0, affectedRows: Int = 0,
        error: DriverError? = nil
    ) {
        self.statement = statement
        self.count = count
        self.connection = connection
        self.backendPID = backendPID
        self.site = site
        self.startedAt = startedAt
        self.nanoseconds = nanoseconds
        self.rows = rows
        self.affectedRows = affectedRows
        self.error = error
    }
}

/// Several watchers as one.
package struct WatcherList: LeaseWatcher {
    private let watchers: [any LeaseWatcher]

    package init(_ watchers: [any LeaseWatcher]) { self.watchers = watchers }

    package var interest: WatchInterest {
        var interest: WatchInterest = []
        for watcher in watchers { interest.formUnion(watcher.interest) }
        return interest
    }

    package func acquireBegan(_ site: BorrowSite, at: MonotonicInstant) {
        for watcher in watchers where watcher.interest.contains(.leases) { watcher.acquireBegan(site, at: at) }
    }

    package func acquireFailed(_ site: BorrowSite, _ error: PoolError, at: MonotonicInstant) {
        for watcher in watchers where watcher.interest.contains(.leases) { watcher.acquireFailed(site, error, at: at) }
    }

    package func connectionLost(_ lease: LeaseObservation, _ error: DriverError) {
        for watcher in watchers where watcher.interest.contains(.leases) { watcher.connectionLost(lease, error) }
    }

    package func leaseBegan(_ lease: LeaseObservation) {
        for watcher in watchers where watcher.interest.contains(.leases) { watcher.leaseBegan(lease) }
    }

    package func statementEnded(_ statement: StatementObservation) {
        for watcher in watchers where watcher.interest.contains(.statements) { watcher.statementEnded(statement) }
    }

    package func leaseEnded(_ lease: LeaseObservation, _ end: LeaseEnd) {
        for watcher in watchers where watcher.interest.contains(.leases) { watcher.leaseEnded(lease, end) }
    }
}
