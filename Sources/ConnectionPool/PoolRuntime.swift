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
    /// Returns at the time, at once when that has passed. Throws when the sleep ends earlier: the task was cancelled, or what
    /// keeps the time was shut down. With which error is the runtime's own affair (``LoopRuntime``: `LoopError`); the pool
    /// asks only whether it threw.
    func sleep(until instant: MonotonicInstant) async throws
}

/// A one-shot timer that can be set again.
public protocol PoolAlarm: Sendable {
    /// Replaces the former time; `nil` clears it.
    func set(_ instant: MonotonicInstant?)
    /// Never fires again.
    func cancel()
}
