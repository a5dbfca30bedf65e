package import ConnectionPool
package import RigModel
import Threading

/// Somebody else's pool in this process as the pool under test: measures every call from outside, and retries by the rig's policy.
/// Thread-safe.
///
/// Its code runs where it would in its own program, on the threads of Swift's cooperative pool, so that one that blocks them does
/// not stop the rig's clock.
package final class ScopedPoolUnderTest: PoolUnderTest {
    package struct Options: Sendable {
        package var policy: RetryPolicy
        package var acquireTimeout: Duration
        package var closeTimeout: Duration
        /// What opens a transaction.
        package var begin: SQLStatement
        package var seed: UInt64

        package init(
            policy: RetryPolicy, acquireTimeout: Duration, closeTimeout: Duration, begin: SQLStatement, seed: UInt64
        ) {
            self.policy = policy
            self.acquireTimeout = acquireTimeout
            self.closeTimeout = closeTimeout
            self.begin = begin
            self.seed = seed
        }
    }

    private struct OpenLease {
        var connection: Int
        var pid: Int
        var site: BorrowSite
        var since: MonotonicInstant
    }

    private struct State {
        var numbers = AdapterNumbers()
        var leases: [Int: OpenLease] = [:]
        var nextLease = 0
    }

    let pool: any ScopedPool
    let options: Options
    let runtime: any PoolRuntime
    package let tellsGauges: Bool
    /// Open once the pool is closed: until then leaked leases are kept.
    let leaksEnd = OneTimeGate()
    private let sink: any EventSink
    private let retrying: RetryingUse
    private let state = Lock(State())

    /// - Parameter sink: is told of connections when they are seen for the first time.
    package init(_ pool: any ScopedPool, _ options: Options, runtime: any PoolRuntime, sink: any EventSink) {
        self.pool = pool
        self.options = options
        self.runtime = runtime
        self.sink = sink
        tellsGauges = pool.gauges != nil
        retrying = RetryingUse(policy: options.policy, seed: options.seed)
    }

    // MARK: Books

    /// Of a pool that does not tell, what its clients know: how many connections they have.
    package var gauges: PoolGauges {
        if let told = pool.gauges { return told }
        var gauges = PoolGauges()
        gauges.inUse = state.withLock { $0.leases.count }
        gauges.open = gauges.inUse
        return gauges
    }

    package func metrics() -> [JSONValue.Member] { [] }

    package func openLeases() -> JSONValue {
        let now = runtime.now
        let leases = state.withLock { $0.leases.sorted { $0.key < $1.key }.map(\.value) }
        return .array(
            leases.map { lease in
                [
                    "conn": JSONValue(lease.connection), "pid": JSONValue(lease.pid),
                    "site": JSONValue(lease.site.description),
                    "held_ns": JSONValue(lease.since.duration(to: now).nanoseconds),
                ]
            })
    }

    /// A client was lent the connection to this server process.
    ///
    /// - Returns: the connection's number, and the lease's.
    func lend(pid: Int, to site: BorrowSite) -> (connection: Int, lease: Int) {
        let (connection, isNew, lease) = state.withLock { state in
            let (connection, isNew) = state.numbers.number(ofPID: pid)
            state.nextLease += 1
            state.leases[state.nextLease] = OpenLease(connection: connection, pid: pid, site: site, since: runtime.now)
            return (connection, isNew, state.nextLease)
        }
        if isNew {
            sink.record(
                .info, .pool, "connection-opened",
                ["conn": JSONValue(connection), "pid": JSONValue(pid), "first_seen": true])
        }
        return (connection, lease)
    }

    func takeBack(lease: Int) { state.withLock { $0.leases[lease] = nil } }

    // MARK: Use

    package func use(_ request: UseRequest) async -> UseReport {
        await retrying.run(
            request, runtime: runtime, onRetry: {},
            tryOnce: { number, completion in
                let attempt = ScopedAttempt(request, number: number, owner: self)
                if request.leaks { await attempt.leak() } else { await attempt.run() }
                return attempt.end(&completion)
            })
    }

    /// What an error of the pool came to.
    func failure(_ error: any Error, during phase: OperationPhase, _ request: UseRequest) -> UseFailure {
        let told = pool.failure(of: error)
        let cause = FailureCause(failureClass: told.failureClass, sqlState: told.sqlState, phase: phase)
        return UseFailure(cause, during: phase, message: told.message, requestSent: true, request)
    }

    /// - Returns: how many leases were out when it began.
    package func close() async -> Int {
        let out = state.withLock { $0.leases.count }
        // A pool may wait for its leases: it gets them when its time is over.
        let patience = runtime.run(near: -1) { [runtime, options, leaksEnd] in
            let limit = runtime.now.advanced(by: options.closeTimeout)
            if (try? await runtime.sleep(until: limit)) != nil { leaksEnd.open() }
        }
        await onOwnersThreads { await self.pool.close() }
        patience.cancel()
        leaksEnd.open()
        return out
    }

    /// Does something where the pool's own program would.
    func onOwnersThreads(_ work: @Sendable () async -> Void) async {
        await withTaskExecutorPreference(globalConcurrentExecutor) { await work() }
    }
}

/// Lets nobody through until it is opened, once and for good. Thread-safe.
final class OneTimeGate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Lock(State())

    func pass() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}
