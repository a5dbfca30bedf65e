public import Threading

/// Is told what borrowers do: the seam between a lease and everything that watches it.
///
/// Called in the borrower's own task (so task-local values are the borrower's), outside every lock, and on the hot path:
/// must not block, and should leave quickly what it does not want. The calls about one connection come in order: a lease
/// begins, its statements end one after the other, the lease ends.
public protocol LeaseWatcher: Sendable {
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
    public func acquireBegan(_ site: BorrowSite, at: MonotonicInstant) {}
    public func acquireFailed(_ site: BorrowSite, _ error: PoolError, at: MonotonicInstant) {}
    public func leaseBegan(_ lease: LeaseObservation) {}
    public func connectionLost(_ lease: LeaseObservation, _ error: DriverError) {}
    public func statementEnded(_ statement: StatementObservation) {}
    public func leaseEnded(_ lease: LeaseObservation, _ end: LeaseEnd) {}
}

/// The kinds of things that a ``LeaseWatcher`` can be told.
public struct WatchInterest: OptionSet, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Acquires, begin and end of leases, losses.
    public static let leases = WatchInterest(rawValue: 1)
    /// Ends of statements. Costs two readings of the clock for each statement.
    public static let statements = WatchInterest(rawValue: 2)
}

/// A lease, as its watchers see it.
public struct LeaseObservation: Sendable, Equatable {
    /// The pool's number of the connection. One lease at a time has it.
    public var connection: Int
    public var backendPID: Int?
    public var site: BorrowSite
    /// When it began, or ended.
    public var at: MonotonicInstant

    public init(connection: Int, backendPID: Int?, site: BorrowSite, at: MonotonicInstant) {
        self.connection = connection
        self.backendPID = backendPID
        self.site = site
        self.at = at
    }
}

/// How a lease ended.
public enum LeaseEnd: Sendable, Equatable {
    /// Given back with the session in this state.
    case released(TransactionStatus)
    /// It died unreleased.
    case leaked
}

/// A statement or a batch that has ended.
public struct StatementObservation: Sendable {
    /// Of a batch, the first one.
    public var statement: SQLStatement
    /// Statements that went together: 1, or the size of the batch.
    public var count: Int
    public var connection: Int
    public var backendPID: Int?
    public var site: BorrowSite
    public var startedAt: MonotonicInstant
    public var nanoseconds: Int64
    public var rows: Int
    public var affectedRows: Int
    /// The first failure of a batch.
    public var error: DriverError?

    public init(
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
public struct WatcherList: LeaseWatcher {
    private let watchers: [any LeaseWatcher]

    public init(_ watchers: [any LeaseWatcher]) { self.watchers = watchers }

    public var interest: WatchInterest {
        var interest: WatchInterest = []
        for watcher in watchers { interest.formUnion(watcher.interest) }
        return interest
    }

    public func acquireBegan(_ site: BorrowSite, at: MonotonicInstant) {
        for watcher in watchers where watcher.interest.contains(.leases) { watcher.acquireBegan(site, at: at) }
    }

    public func acquireFailed(_ site: BorrowSite, _ error: PoolError, at: MonotonicInstant) {
        for watcher in watchers where watcher.interest.contains(.leases) { watcher.acquireFailed(site, error, at: at) }
    }

    public func connectionLost(_ lease: LeaseObservation, _ error: DriverError) {
        for watcher in watchers where watcher.interest.contains(.leases) { watcher.connectionLost(lease, error) }
    }

    public func leaseBegan(_ lease: LeaseObservation) {
        for watcher in watchers where watcher.interest.contains(.leases) { watcher.leaseBegan(lease) }
    }

    public func statementEnded(_ statement: StatementObservation) {
        for watcher in watchers where watcher.interest.contains(.statements) { watcher.statementEnded(statement) }
    }

    public func leaseEnded(_ lease: LeaseObservation, _ end: LeaseEnd) {
        for watcher in watchers where watcher.interest.contains(.leases) { watcher.leaseEnded(lease, end) }
    }
}
