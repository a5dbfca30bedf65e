import Glibc
import Threading

/// Hands jobs to one thread, in order. Thread-safe.
final class JobQueue: @unchecked Sendable {
    // @unchecked: sem_t is made for several threads; everything else is behind the lock.
    typealias Job = @Sendable (SQLiteHandle) -> Void

    private struct State {
        var jobs: [Job] = []
        var isClosed = false
    }

    private let state = Lock(State())
    /// Counts the jobs that wait, and one more once the queue is closed.
    private let waiting: UnsafeMutablePointer<sem_t>

    init() {
        waiting = .allocate(capacity: 1)
        sem_init(waiting, 0, 0)
    }

    deinit {
        sem_destroy(waiting)
        waiting.deallocate()
    }

    /// - Returns: `false` when the queue is closed: the job will never run.
    func submit(_ job: @escaping Job) -> Bool {
        let accepted = state.withLock { state in
            if !state.isClosed { state.jobs.append(job) }
            return !state.isClosed
        }
        if accepted { sem_post(waiting) }
        return accepted
    }

    /// Refuses new jobs; those that wait are still run.
    ///
    /// - Returns: `false` when it was closed before.
    func close() -> Bool {
        let first = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if first { sem_post(waiting) }
        return first
    }

    /// Waits for the next job; `nil` when the queue is closed and empty. Called by the one consuming thread.
    func next() -> Job? {
        while sem_wait(waiting) != 0 {}  // EINTR
        return state.withLock { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
    }
}
