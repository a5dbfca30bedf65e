import RigModel
import Synchronization
public import Threading

/// The shell around ``PoolStateMachine``: lock, decide, unlock, act. What ``Pool`` is made of; it knows no driver's type, so
/// that it is compiled once and not looked up at run time for each kind of pool.
///
/// Thread-safe. The lock is held for the transition only; what follows from it runs after unlocking.
public final class PoolCore: Sendable {
    typealias Connect = @Sendable (MonotonicInstant) async throws(DriverError) -> any DriverConnection

    let state: Lock<State>
    /// Somebody waited when this was last written, under the state's lock. Who reads it without spares a try of the short way
    /// that would fail; both ways decide alike.
    let isQueued = Atomic<Bool>(false)
    let alarm = Lock<(any PoolAlarm)?>(nil)
    let connect: Connect
    /// Is told when a connection sees something while nobody waits on it.
    let idleListener = Lock<(@Sendable (ConnectionHandle) -> Void)?>(nil)
    let observer: (any PoolObserver)?
    /// Is told by the leases what their borrowers do.
    public let watcher: (any LeaseWatcher)?
    /// Cheaper to ask than the watcher itself.
    public let isWatched: Bool
    let runtime: any PoolRuntime
    /// As it was at the beginning. See ``currentConfiguration``.
    let configuration: PoolConfiguration
    let createdAt: MonotonicInstant
    private let statementTimeoutNanoseconds: UInt64
    private let acquireTimeoutNanoseconds: UInt64

    /// What the lock guards.
    struct State: Sendable {
        var machine: PoolStateMachine
        /// The latest time that the machine was told. Threads read the clock before they get the lock, so the one that
        /// comes second may have read it first; the machine's time never goes back.
        var now: MonotonicInstant
        /// Connections by slot, from their opening until they are closed or cut.
        var connections: [(any DriverConnection)?]
        /// By serial number; only of connects that have not answered.
        var connectTasks: [Int: Task<Void, Never>] = [:]
        var waiters = ParkingLot()
        var alarmAt: MonotonicInstant?
        /// What is still to be told, in order. One thread at a time tells it.
        var news: [News] = []
        var isTelling = false
        var fillWaiters: [Int: CheckedContinuation<Bool, Never>] = [:]
        var nextFillWaiter = 0
        var closeWaiters: [CheckedContinuation<Int, Never>] = []
        /// Set when everybody who observes has been told everything.
        var closedWith: Int?

        init(machine: PoolStateMachine, now: MonotonicInstant) {
            self.machine = machine
            self.now = now
            connections = Array(repeating: nil, count: machine.configuration.maxOpen)
        }
    }

    init(
        configuration: PoolConfiguration, runtime: any PoolRuntime, seed: UInt64, observer: (any PoolObserver)?,
        watcher: (any LeaseWatcher)?, connect: @escaping Connect
    ) {
        self.configuration = configuration
        self.runtime = runtime
        self.observer = observer
        self.watcher = watcher
        isWatched = watcher != nil
        self.connect = connect
        statementTimeoutNanoseconds = UInt64(max(0, configuration.statementTimeout.nanoseconds))
        acquireTimeoutNanoseconds = UInt64(max(0, configuration.acquireTimeout.nanoseconds))
        createdAt = runtime.now
        state = Lock(
            State(machine: PoolStateMachine(configuration: configuration, seed: seed, now: createdAt), now: createdAt))
    }

    /// Begins the pool's work.
    ///
    /// - Parameter lifeline: timers and connections call back through it. A weak reference to the core itself would make each
    ///   retain of it slow (the object gets a side table), and each lease is one.
    func start(_ lifeline: PoolLifeline) {
        idleListener.withLock {
            $0 = { [weak lifeline] handle in
                lifeline?.core.transition { $0.machine.idleEvent(handle, now: $1) }
            }
        }
        let timer = runtime.makeAlarm { [weak lifeline] in
            lifeline?.core.transition { state, now in
                state.alarmAt = nil
                state.machine.alarmFired(now: now)
            }
        }
        alarm.withLock { $0 = timer }
        transition { _, _ in }
    }

    /// The earlier of `deadline` and the statement timeout from now.
    public func statementLimit(_ deadline: MonotonicInstant) -> MonotonicInstant {
        min(deadline, runtime.now.later(byNanoseconds: statementTimeoutNanoseconds))
    }

    /// The earlier of `deadline` and the acquire timeout from `now`.
    func acquireLimit(_ deadline: MonotonicInstant, now: MonotonicInstant) -> MonotonicInstant {
        min(deadline, now.later(byNanoseconds: acquireTimeoutNanoseconds))
    }

    // MARK: Observation

    var metrics: PoolMetrics { state.withLock { $0.machine.snapshot() } }

    var gauges: PoolGauges { state.withLock { $0.machine.gauges } }

    /// With the limits that were changed since.
    var currentConfiguration: PoolConfiguration { state.withLock { $0.machine.configuration } }

    var openLeases: [(lease: PoolStateMachine.OpenLease, backendPID: Int?)] {
        state.withLock { state in
            state.machine.openLeases.map { ($0, state.connections[$0.connection.slot]?.backendPID) }
        }
    }

    func countRetry() { state.withLock { $0.machine.metrics.retries += 1 } }

    /// What must hold between any two events and does not, in words; after the close nothing may be left. For tests.
    func brokenInvariant() -> String? {
        state.withLock { state in
            if let broken = state.machine.brokenInvariant() { return broken }
            guard state.machine.isClosed else { return nil }
            let left = state.waiters.count + state.connectTasks.count + state.fillWaiters.count
            if left > 0 { return "\(left) waiters, answers or connects are left after the close" }
            let open = state.connections.count { $0 != nil }
            return open > 0 ? "\(open) connections are held after the close" : nil
        }
    }

    // MARK: Close

    /// See ``Pool/close(within:)``.
    func close(within limit: Duration?) async -> Int {
        let limit = limit ?? configuration.closeTimeout
        transition { state, now in
            let cutAt = now.advanced(by: limit)
            // The last part of the limit is for the answers to the cancels.
            let cancelAt = now.advanced(by: max(limit - .seconds(1), limit * 4 / 5))
            state.machine.close(now: now, cancelAt: cancelAt, cutAt: cutAt)
        }
        let cut = await withCheckedContinuation { continuation in
            let done = state.withLock { state -> Int? in
                if state.closedWith == nil { state.closeWaiters.append(continuation) }
                return state.closedWith
            }
            if let done { continuation.resume(returning: done) }
        }
        alarm.withLock { $0.take() }?.cancel()
        return cut
    }
}

extension MonotonicInstant {
    /// `advanced(by:)` without the arithmetic of `Duration`, which is 128 bits wide.
    func later(byNanoseconds nanoseconds: UInt64) -> MonotonicInstant {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return MonotonicInstant(nanoseconds: overflow ? .max : sum)
    }
}
