package import ConnectionPool
package import RigModel

/// The pool that a run judges. Ours is one implementation; a pool in another language behind an adapter can be another.
package protocol PoolUnderTest: Sendable {
    /// One use of the pool: borrow, do the steps, give back, with whatever the pool retries. Never throws: how it went is
    /// in the report.
    func use(_ request: UseRequest) async -> UseReport
    var gauges: PoolGauges { get }
    /// Metrics by their names in the documentation.
    func metrics() -> [JSONValue.Member]
    /// The leases that are out now, for the books.
    func openLeases() -> JSONValue
    /// What went wrong with the pool as a whole, so that nothing can be concluded from its run; in words.
    var problems: [String] { get }
    /// Ends the pool within its close timeout.
    ///
    /// - Returns: the number of leases that had to be cut.
    func close() async -> Int
}

extension PoolUnderTest {
    package var problems: [String] { [] }
}

/// What a workload asks of the pool.
package struct UseRequest: Sendable {
    /// The statements of one attempt, numbered from 1: a row can carry the attempt that wrote it.
    package var steps: @Sendable (_ attempt: Int) -> [SQLStatement]
    /// Run the steps in one transaction.
    package var isTransaction: Bool
    /// What the caller does elsewhere between two steps, while it keeps the connection.
    package var pause = Duration.zero
    /// Doing it twice does no harm.
    package var isIdempotent: Bool
    /// No effect that could be doubted.
    package var isReadOnly: Bool
    /// The rows are of interest to whoever asks; `false`: a pool in another process may keep them there.
    package var wantsRows: Bool
    /// Borrow and never return.
    package var leaks: Bool
    /// Wait for a connection no longer than this, where the pool's own limit is longer; `nil`: its own.
    package var acquireLimit: Duration?
    /// Keep the connection for so long after the last step.
    package var hold = Duration.zero
    /// The source line that borrows, for leak reports.
    package var site: BorrowSite

    package init(
        isTransaction: Bool = false, isIdempotent: Bool = false, isReadOnly: Bool = false, leaks: Bool = false,
        wantsRows: Bool = true,
        site: BorrowSite, steps: @escaping @Sendable (_ attempt: Int) -> [SQLStatement]
    ) {
        self.steps = steps
        self.isTransaction = isTransaction
        self.isIdempotent = isIdempotent
        self.isReadOnly = isReadOnly
        self.wantsRows = wantsRows
        self.leaks = leaks
        self.site = site
    }
}

/// How a use went, measured by its caller and not by the pool.
package struct UseReport: Sendable {
    package var outcome: Outcome
    package var completion: Completion
    /// The rows of each step of the attempt that succeeded.
    package var results: [SQLResult]

    package init(outcome: Outcome, completion: Completion, results: [SQLResult] = []) {
        self.outcome = outcome
        self.completion = completion
        self.results = results
    }
}
