public import Threading

/// Where the pool's shell gets time and threads from. A test gives it a manual one.
public protocol PoolRuntime: Sendable {
    var now: MonotonicInstant { get }
    /// A timer that calls `fire`, from any thread, once for each time that was set. It may also call early.
    func makeAlarm(_ fire: @escaping @Sendable () -> Void) -> any PoolAlarm
    /// Runs background work of the pool.
    ///
    /// - Parameter affinity: the number of the event loop that the work concerns; -1 for any.
    /// - Returns: the task, so that it can be cancelled.
    @discardableResult
    func run(near affinity: Int32, _ work: @escaping @Sendable () async -> Void) -> Task<Void, Never>
    /// Returns at the time, or throws `CancellationError`.
    func sleep(until instant: MonotonicInstant) async throws
}

/// A one-shot timer that can be set again.
public protocol PoolAlarm: Sendable {
    /// Replaces the former time; `nil` clears it.
    func set(_ instant: MonotonicInstant?)
    /// Never fires again.
    func cancel()
}
