import ConnectionPool
import Dispatch
import Glibc
import Synchronization
package import Threading

/// A group of threads on which code may block on a database file. Thread-safe.
///
/// It is a task executor. A task that prefers it calls its connections without a change of thread; a call from anywhere
/// else comes over for its time, so no thread of the cooperative pool or of an event loop ever waits for a file:
///
/// ```swift
/// let driver = SQLiteDriver(SQLiteConfiguration(path: "/tmp/x/rig.db"))
/// await withTaskExecutorPreference(driver.threads) {
///     … // every statement in here runs inline
/// }
/// ```
///
/// There are as many threads as cores, more while system calls hang (``ThreadPlan``), and none a moment after the last
/// connection is closed. Tasks that outlive the group go on, on the global executor; their connections are closed.
package final class SQLiteThreads: TaskExecutor, Sendable {
    struct State {
        var plan: ThreadPlan
        var jobs = Fifo<UnownedJob>()
        var sessions: [ObjectIdentifier: SQLiteSession] = [:]
        /// Threads that have not been joined yet, the watch among them.
        var unjoined = 0
        var watch = Watch.none
        /// The alarms of the threads that sleep, the last to fall asleep at the end.
        var sleepers: [Semaphore] = []

        /// - Returns: whom to wake.
        mutating func takeSleepers(if needed: Bool) -> [Semaphore] {
            guard needed else { return [] }
            defer { sleepers = [] }
            return sleepers
        }
    }

    enum Watch {
        /// Has no thread. Next: `ticking`.
        case none
        /// Next: `sleeping` or `none`.
        case ticking
        /// Waits until a thread has work again, or the last one ends. Next: `ticking`.
        case sleeping
    }

    /// How long a thread waits for another connection when the last one has been closed.
    private static let lingerNanoseconds = 100_000_000

    let state: Lock<State>
    let watchWakeUp = Semaphore()
    /// Copy of the number of waiting jobs, read at each call.
    private let waitingJobs = Atomic<Int>(0)
    private let ending = Ending()

    /// - Parameter width: how many threads work at once; as many as there are cores where `nil`.
    package init(width: Int? = nil) {
        let cores = max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        state = Lock(State(plan: ThreadPlan(width: width ?? cores)))
    }

    // MARK: Tasks

    /// Called by the Swift runtime, from any thread.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let (action, sleeper) = state.withLock { state in
            let action = state.plan.jobAdded()
            if action != .refuse { state.jobs.append(job) }
            waitingJobs.store(state.plan.waitingJobs, ordering: .relaxed)
            return (action, action == .wake ? state.sleepers.popLast() : nil)
        }
        switch action {
        case .none: break
        case .wake: sleeper?.signal()
        case .start: startThread()
        case .refuse: globalConcurrentExecutor.enqueue(job)
        }
    }

    /// The thread of this group that runs the caller; `nil` elsewhere.
    var current: SQLiteWorker? {
        guard let worker = SQLiteWorker.current, worker.group === self else { return nil }
        return worker
    }

    /// Somebody waits for a thread.
    var hasWaitingJobs: Bool { waitingJobs.load(ordering: .relaxed) > 0 }

    // MARK: Sessions

    /// - Returns: `false` when the group ends: nothing may be opened any more.
    func add(_ session: SQLiteSession) -> Bool {
        state.withLock { state in
            if state.plan.isStopping { return false }
            state.sessions[ObjectIdentifier(session)] = session
            state.plan.connectionOpened()
            return true
        }
    }

    /// Its file is closed.
    func remove(_ session: SQLiteSession) {
        let sleepers = state.withLock { state -> [Semaphore] in
            guard state.sessions.removeValue(forKey: ObjectIdentifier(session)) != nil else { return [] }
            return state.takeSleepers(if: state.plan.connectionClosed())
        }
        for sleeper in sleepers { sleeper.signal() }
    }

    // MARK: End

    /// Closes every connection, interrupting what runs, and ends all threads.
    ///
    /// - Returns: `false` when a system call hangs until after the deadline; its thread then ends after it. A second call
    ///   waits for the same end.
    @discardableResult
    package func stop(deadline: MonotonicInstant) async -> Bool {
        let sessions = state.withLock { Array($0.sessions.values) }
        for session in sessions { session.beginStop() }
        let sleepers = state.withLock { state -> [Semaphore] in
            state.plan.stop()
            return state.takeSleepers(if: true)
        }
        for sleeper in sleepers { sleeper.signal() }
        markEndedIfDone()
        return await ending.wait(until: deadline)
    }

    private func markEndedIfDone() {
        if state.withLock({ $0.plan.hasEnded && $0.unjoined == 0 }) { ending.markEnded() }
    }

    /// Whether it has been told to end.
    var isStopping: Bool { state.withLock { $0.plan.isStopping } }

    // MARK: Threads

    /// The plan has counted it already.
    func startThread() {
        let startsWatch = state.withLock { state in
            defer { if state.watch == .none { state.watch = .ticking } }
            return state.watch == .none
        }
        start("sqlite") { group in SQLiteWorker(group: group).run(group.work) }
        if startsWatch { start("sqlite-watch") { group in group.keepWatch() } }
    }

    private final class Thread: Sendable {
        private let handle = Lock<ServiceThread?>(nil)

        func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
            // Inside the lock, so that join() cannot come before the handle is there.
            handle.withLock { $0 = ServiceThread(name: name, body: body) }
        }

        func join() { handle.withLock { $0.take() }?.join() }
    }

    private func start(_ name: String, _ body: @escaping @Sendable (SQLiteThreads) -> Void) {
        state.withLock { $0.unjoined += 1 }
        let thread = Thread()
        thread.start(name) { [self] in
            body(self)
            // Joining blocks, if only for the last steps of this thread: not on the cooperative pool.
            DispatchQueue.global().async {
                thread.join()
                self.state.withLock { $0.unjoined -= 1 }
                self.markEndedIfDone()
            }
        }
    }

    /// The life of a thread.
    private func work(_ worker: SQLiteWorker) {
        var hasLingered = false
        while true {
            let (step, job, wakesWatch) = state.withLock { state -> (ThreadPlan.Step, UnownedJob?, Bool) in
                let step = state.plan.next(hasLingered: hasLingered)
                if step == .sleep || step == .linger { state.sleepers.append(worker.alarm) }
                let job = step == .run ? state.jobs.popFirst() : nil
                waitingJobs.store(state.plan.waitingJobs, ordering: .relaxed)
                let wakesWatch = state.watch == .sleeping && (step == .run || state.plan.threads == 0)
                if wakesWatch { state.watch = .ticking }
                return (step, job, wakesWatch)
            }
            if wakesWatch { watchWakeUp.signal() }
            hasLingered = false
            switch step {
            case .run:
                worker.beginTurn()
                job?.runSynchronously(on: asUnownedTaskExecutor())
            case .sleep: worker.alarm.wait()
            case .linger: hasLingered = linger(worker)
            case .end: return
            }
        }
    }

    /// - Returns: `true` when nobody has called the thread.
    private func linger(_ worker: SQLiteWorker) -> Bool {
        if worker.alarm.wait(nanoseconds: Self.lingerNanoseconds) { return false }
        let wasCalled = state.withLock { state in
            guard let place = state.sleepers.firstIndex(where: { $0 === worker.alarm }) else { return true }
            state.sleepers.remove(at: place)
            state.plan.wokeUncalled()
            return false
        }
        // Called just now: the signal is on its way, and must not be left for the next sleep.
        if wasCalled { worker.alarm.wait() }
        return !wasCalled
    }
}

extension SQLiteThreads {
    /// Runs `body` on a thread of the group, and returns to the executor of the caller.
    func run<R: Sendable>(
        _ body: @concurrent @Sendable () async throws(DriverError) -> R
    ) async throws(DriverError) -> R {
        try await withTaskExecutorPreference(self, operation: body)
    }
}
