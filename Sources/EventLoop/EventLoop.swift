import CLinux
import Synchronization
import Threading

/// One thread that waits for many descriptors and deadlines, and runs tasks.
///
/// ```swift
/// let loop = try EventLoop(name: "pool")
/// defer { loop.shutdown() }
/// let task = Task(executorPreference: loop) {
///     try await loop.wait(slot, socket, for: .readable, until: .now.advanced(by: .seconds(2)))
/// }
/// ```
///
/// Waits, sleeps and alarms may be used by any thread and from any executor. Tasks that prefer the loop run on its thread,
/// so a wait costs them no change of thread; they must not block it. A loop lives until ``shutdown()``: its thread keeps it.
public final class EventLoop: TaskExecutor, Sendable {
    /// A number that no other loop of this process has.
    public let number: Int32

    /// For actors that want to live on the loop's thread.
    public let isolation: LoopSerialExecutor

    let poller: Poller
    let slots = SlotTable()
    let jobs: JobQueue
    let deadlines = Lock(DeadlineHeap())
    /// Set once, before the slots are emptied; a wait looks at it under its slot's lock, so none slips through.
    private let stopping = Atomic<Bool>(false)
    private let thread = Lock<ServiceThread?>(nil)
    private static let numbers = Atomic<Int32>(-1)

    /// Starts the loop's thread.
    ///
    /// - Parameter name: the thread's name; the kernel keeps 15 bytes.
    /// - Throws: ``LoopError/system(errno:call:)`` when the process has no descriptors left (it needs three).
    public init(name: String = "event-loop") throws(LoopError) {
        let poller = try Poller()
        number = Self.numbers.add(1, ordering: .relaxed).newValue
        self.poller = poller
        let jobs = JobQueue(poller: poller)
        self.jobs = jobs
        isolation = LoopSerialExecutor(jobs: jobs)
        // Tasks run on this stack: give it what the threads of the default executor have.
        let thread = ServiceThread(name: name, stackBytes: 8 << 20) { [self] in run() }
        self.thread.withLock { $0 = thread }
    }

    /// Ends the loop and joins its thread. Waits and sleeps that are pending, and later ones, fail with
    /// ``LoopError/stopped``; alarms never fire again. Tasks that prefer the loop go on, slowly, on a helper thread.
    ///
    /// Call it from outside, once its users are done; a second call does nothing. Blocks for as long as the job that the
    /// loop runs at that moment.
    public func shutdown() {
        precondition(!isOnLoop, "shutdown() was called on the loop's own thread, which cannot wait for its own end")
        stopping.store(true, ordering: .sequentiallyConsistent)
        poller.wake()
        thread.withLock { $0 }?.join()
    }

    /// Whether the calling code runs on the loop's thread.
    public var isOnLoop: Bool { jobs.isOnOwner }

    /// Whether ``shutdown()`` has begun.
    public var isStopping: Bool { stopping.load(ordering: .sequentiallyConsistent) }

    /// Runs `job` on the loop's thread. Called by the Swift runtime, from any thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        jobs.enqueue(.task(UnownedJob(job), asUnownedTaskExecutor()))
    }

    /// A place to wait. Any thread. See ``WaitSlot``.
    public func makeSlot() -> WaitSlot { WaitSlot(table: slots) }

    /// Enters the state's deadline into the heap if the entry that is there would come too late.
    ///
    /// Call it with the slot's lock held, and `wake()` after unlocking when it says so.
    func schedule(_ slot: Slot, _ state: inout Slot.State) -> Bool {
        guard state.deadline < state.queuedAt else { return false }
        state.queuedAt = state.deadline
        let isEarliest = deadlines.withLock { $0.set(slot.index, at: state.deadline) }
        return isEarliest && !isOnLoop
    }
}
