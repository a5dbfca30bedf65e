package import ConnectionPool
package import RigModel

/// The pool that a run judges. Ours is one implementation; a pool in another language behind an adapter can be another.
package protocol PoolUnderTest: Sendable {
    /// One use of the pool: borrow, do the steps, give back, with whatever the pool retries. Never throws: how it went is
    /// in the report.
    func use(_ request: UseRequest) async -> UseReport
    var gauges: PoolGauges { get }
    /// Of each pool, where several stand side by side; else of the one.
    var gaugesOfEach: [PoolGauges] { get }
    /// ``gauges`` are the pool's own words; `false`: it says nothing of its state, and they are what its clients know.
    var tellsGauges: Bool { get }
    /// ``gauges`` tell of connections that are being opened.
    var tellsConnecting: Bool { get }
    /// Metrics by their names in the documentation.
    func metrics() -> [JSONValue.Member]
    /// How long things took, in whole, where the pool tells; else `nil`.
    func durations() -> PoolDurations?
    /// Until gauges, metrics and leases are of now, where they come from elsewhere.
    func refreshBooks() async
    /// The leases that are out now, for the books.
    func openLeases() -> JSONValue
    /// What went wrong with the pool as a whole, so that nothing can be concluded from its run; in words.
    var problems: [String] { get }
    /// Ends the pool within its close timeout.
    ///
    /// - Returns: the number of leases that had to be cut.
    func close() async -> Int
    /// Asks for so many connections at once, keeps what comes until all are there or none can come any more, and gives them back.
    ///
    /// - Returns: how many were had at the same time, and how long the last of them took; `nil`: this pool cannot do that, or
    ///   was not there.
    func takeAll(_ count: Int) async -> (got: Int, took: Duration)?
}

extension PoolUnderTest {
    package var tellsGauges: Bool { true }

    package var tellsConnecting: Bool { tellsGauges }

    package var problems: [String] { [] }

    package var gaugesOfEach: [PoolGauges] { [gauges] }

    package func durations() -> PoolDurations? { nil }

    package func refreshBooks() async {}

    package func takeAll(_ count: Int) async -> (got: Int, took: Duration)? { nil }
}

/// What a pool measures of itself, since it began. A value.
package struct PoolDurations: Sendable, Equatable {
    package var acquireWait = LatencyHistogram()
    package var lease = LatencyHistogram()
    package var connect = LatencyHistogram()

    package init() {}

    package mutating func merge(_ other: PoolDurations) {
        acquireWait.merge(other.acquireWait)
        lease.merge(other.lease)
        connect.merge(other.connect)
    }
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
    /// Looks at the connection as it comes: what the client does beside must not change it before.
    package var isInspection = false
    /// What the client does beside; `nil`: nothing.
    package var behaviour: UseBehaviour?
    /// Is told which moment of the use has come; `nil`: nobody wants to know.
    package var cancelSwitch: CancelSwitch?
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
    // Times of the completion are on the monotonic clock: see `Completion.count(from:)`.

    package init(outcome: Outcome, completion: Completion, results: [SQLResult] = []) {
        self.outcome = outcome
        self.completion = completion
        self.results = results
    }
}
