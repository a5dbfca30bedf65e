/// Runs actors on a loop's thread.
///
/// ```swift
/// actor Sampler {
///     let loop: EventLoop
///     nonisolated var unownedExecutor: UnownedSerialExecutor { loop.isolation.asUnownedSerialExecutor() }
/// }
/// ```
///
/// It is not the loop itself: a job that ran as isolated to the loop would leave it and come back at each call of a
/// nonisolated function, and most tasks on a loop need no isolation.
public final class LoopSerialExecutor: SerialExecutor, Sendable {
    private let jobs: JobQueue

    init(jobs: JobQueue) { self.jobs = jobs }

    /// Runs `job` on the loop's thread. Called by the Swift runtime, from any thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        jobs.enqueue(.isolated(UnownedJob(job), asUnownedSerialExecutor()))
    }

    /// Ends the process unless called on the loop's thread (or on its helper after the loop's shutdown). Used by
    /// `assumeIsolated` and its like.
    public func checkIsolated() {
        precondition(jobs.isOnOwner, "expected to run on the event loop's thread, but runs on another one")
    }
}
