import Glibc
import Threading

/// One thread of a group, as code sees it that runs on it. Belongs to that thread.
final class SQLiteWorker {
    /// How long a task keeps a thread while others wait for one. Calls that run inline never suspend, so without turns
    /// the first tasks would run to their end before the others begin.
    static let turnNanoseconds: UInt64 = 500_000

    let group: SQLiteThreads
    /// Signalled when the group calls it out of its sleep.
    let alarm = Semaphore()
    /// When the job that runs began, in nanoseconds.
    private var turnBegan: UInt64 = 0

    init(group: SQLiteThreads) { self.group = group }

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        let status = pthread_key_create(&key, nil)
        precondition(status == 0, "cannot make a thread-local variable: error \(status)")
        return key
    }()

    /// The calling thread, where it belongs to a group.
    static var current: SQLiteWorker? {
        guard let pointer = pthread_getspecific(key) else { return nil }
        return Unmanaged<SQLiteWorker>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// Makes the calling thread this worker while `body` runs.
    func run(_ body: (SQLiteWorker) -> Void) {
        pthread_setspecific(Self.key, Unmanaged.passUnretained(self).toOpaque())
        body(self)
        pthread_setspecific(Self.key, nil)
    }

    func beginTurn() { turnBegan = MonotonicInstant.now.nanoseconds }

    /// The task that runs has had its turn, and another one waits.
    func mustYield(at now: MonotonicInstant) -> Bool {
        now.nanoseconds &- turnBegan > Self.turnNanoseconds && group.hasWaitingJobs
    }
}
