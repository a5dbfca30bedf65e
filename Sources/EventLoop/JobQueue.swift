import Dispatch
import Glibc
import Synchronization
import Threading

/// The jobs of a loop's executors, run one at a time: on the loop's thread while it lives, and one after the other on a
/// helper thread when a task outlives its loop, so that no task hangs for ever because its executor has gone.
final class JobQueue: @unchecked Sendable {
    // @unchecked: `local` belongs to the thread that `owner` names; all else is locked, atomic or constant.

    /// A job, and as what it runs. Tasks and actors keep their executors alive until their last job has run.
    enum Job {
        case task(UnownedJob, UnownedTaskExecutor)
        case isolated(UnownedJob, UnownedSerialExecutor)

        func run() {
            switch self {
            case .task(let job, let executor): job.runSynchronously(on: executor)
            case .isolated(let job, let executor): job.runSynchronously(on: executor)
            }
        }
    }

    private enum Phase {
        /// The loop's thread takes the jobs. Next: `closed`.
        case open
        /// The loop has gone and no job waits. Next: `draining`.
        case closed
        /// A helper thread takes the jobs. Next: `closed`.
        case draining
    }

    private struct Inbox {
        var jobs: [Job] = []
        var phase = Phase.open
    }

    private let inbox = Lock(Inbox())
    private let poller: Poller
    /// The thread that may run jobs now; 0 while there is none.
    private let owner = Atomic<UInt>(0)
    /// Jobs for the owner's next batches; those before `next` have run.
    private var local: [Job] = []
    private var next = 0
    /// Jobs that have run are dropped in bulk: dropping each would move all that wait.
    private static let compactAfter = 256

    init(poller: Poller) { self.poller = poller }

    /// Whether the calling thread is the one that runs the jobs.
    var isOnOwner: Bool { owner.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Adds a job at the end. Any thread; from the owner without a lock or a system call.
    func enqueue(_ job: Job) {
        if isOnOwner {
            local.append(job)
            return
        }
        let phase = inbox.withLock { inbox in
            inbox.jobs.append(job)
            defer { if inbox.phase == .closed { inbox.phase = .draining } }
            return inbox.phase
        }
        switch phase {
        case .open: poller.wake()
        case .closed: DispatchQueue.global().async { self.drainLate() }
        case .draining: break
        }
    }

    // MARK: The owner's thread

    /// The calling thread runs the jobs from now on.
    func adopt() { owner.store(UInt(pthread_self()), ordering: .relaxed) }

    var isEmpty: Bool { local.isEmpty && inbox.withLock { $0.jobs.isEmpty } }

    /// Runs at most `limit` jobs in the order they came, also those that they add: a connection that is handed over on this
    /// loop is used before the loop looks at its sockets again.
    func runBatch(limit: Int) {
        inbox.withLock { inbox in
            local.append(contentsOf: inbox.jobs)
            inbox.jobs.removeAll(keepingCapacity: true)
        }
        var left = limit
        while left > 0, next < local.count {
            let job = local[next]  // a copy: the job may append to the array while it runs
            next += 1
            left -= 1
            job.run()
        }
        if next == local.count {
            local.removeAll(keepingCapacity: true)
            next = 0
        } else if next >= Self.compactAfter {
            local.removeFirst(next)
            next = 0
        }
    }

    /// Ends the loop's part. Jobs that are left, and later ones, run on a helper thread.
    func close() {
        let leftOver = inbox.withLock { inbox in
            inbox.jobs.insert(contentsOf: local[next...], at: 0)
            local.removeAll()
            next = 0
            owner.store(0, ordering: .relaxed)
            inbox.phase = inbox.jobs.isEmpty ? .closed : .draining
            return inbox.phase == .draining
        }
        if leftOver { DispatchQueue.global().async { self.drainLate() } }
    }

    private func drainLate() {
        adopt()
        var more = true
        while more {
            runBatch(limit: .max)
            more = inbox.withLock { inbox in
                if !local.isEmpty || !inbox.jobs.isEmpty { return true }
                owner.store(0, ordering: .relaxed)
                inbox.phase = .closed
                return false
            }
        }
    }
}
