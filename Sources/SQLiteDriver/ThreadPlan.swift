/// Decides how many threads a ``SQLiteThreads`` group has and which of them sleep. Pure: its owner does what it says.
///
/// The group has up to ``width`` threads. A thread that hangs in a system call is one less for all others, so when the jobs
/// that wait make no progress from one ``tick()`` to the next there may be one more, up to one for each open connection
/// beyond the width: then even the last connection finds a thread while all others hang.
struct ThreadPlan: Sendable, Equatable {
    enum Action: Sendable, Equatable {
        case none
        /// Wake the thread that fell asleep last: its caches are the warmest.
        case wake
        /// Start one more thread.
        case start
        /// The group has ended: the job is for somebody else.
        case refuse
    }

    enum Step: Sendable, Equatable {
        case run
        case sleep
        /// Sleep for a short time; then ask again.
        case linger
        case end
    }

    let width: Int
    private(set) var connections = 0
    /// Threads that live, asleep or not.
    private(set) var threads = 0
    /// Of them asleep; one that has been called does not count, though it may still be on its way.
    private(set) var sleeping = 0
    private(set) var waitingJobs = 0
    private(set) var isStopping = false
    /// Since the last tick: did a thread take a job?
    private var hasProgress = false

    init(width: Int) { self.width = max(1, width) }

    var limit: Int { width + connections }
    var busy: Int { threads - sleeping }
    var hasEnded: Bool { isStopping && threads == 0 && waitingJobs == 0 }

    /// A job came in.
    mutating func jobAdded() -> Action {
        if hasEnded { return .refuse }
        waitingJobs += 1
        if sleeping > 0 {
            sleeping -= 1
            return .wake
        }
        guard threads < width else { return .none }
        threads += 1
        return .start
    }

    /// A thread that runs nothing asks what to do.
    ///
    /// - Parameter hasLingered: it comes from a `linger` in which nobody called it.
    mutating func next(hasLingered: Bool = false) -> Step {
        if waitingJobs > 0 {
            waitingJobs -= 1
            hasProgress = true
            return .run
        }
        // A thread that nobody needs any more: the group ends, or it was one too many, or it has no connection to serve.
        if isStopping || threads > width || (connections == 0 && hasLingered) {
            threads -= 1
            return .end
        }
        sleeping += 1
        return connections == 0 ? .linger : .sleep
    }

    /// A thread has slept as long as it may, and nobody has called it.
    mutating func wokeUncalled() { sleeping -= 1 }

    mutating func connectionOpened() { connections += 1 }

    /// - Returns: whether to wake all that sleep, so that they see that they are not needed.
    mutating func connectionClosed() -> Bool {
        connections -= 1
        if connections == 0 { sleeping = 0 }
        return connections == 0
    }

    /// The group ends as soon as its jobs are done. All that sleep must be woken.
    mutating func stop() {
        isStopping = true
        sleeping = 0
    }

    /// Some milliseconds have passed. - Returns: whether to start one more thread.
    mutating func tick() -> Bool {
        defer { hasProgress = false }
        guard waitingJobs > 0, !hasProgress, sleeping == 0, threads < limit else { return false }
        threads += 1
        return true
    }
}
