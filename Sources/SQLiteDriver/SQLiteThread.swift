import ConnectionPool
import Dispatch
import RigModel
import Threading

/// The thread of one connection: it alone touches the handle. Calls submit a job and wait for its answer, so no thread
/// of the cooperative pool ever blocks on a file. Thread-safe.
///
/// What a deadline cannot end is a system call that hangs in the kernel (a dead disk): the call then returns with it.
final class SQLiteThread: Sendable {
    private let queue = JobQueue()
    private let interruption: Interruption
    private let busyTimeout: Duration
    private let status = Lock(TransactionStatus.unusable)
    private let ending = Ending()
    private let thread: ServiceThread

    /// Starts the thread. ``beginStop()`` must follow.
    ///
    /// - Parameter onLeak: told the SQL of statements that were not finalized when the file was closed.
    init(busyTimeout: Duration, onLeak: @escaping @Sendable ([String]) -> Void) {
        let interruption = Interruption()
        self.interruption = interruption
        self.busyTimeout = busyTimeout
        thread = ServiceThread(name: "sqlite") { [queue] in
            let handle = SQLiteHandle(interruption: interruption)
            while let job = queue.next() { job(handle) }
            let leaked = handle.close()
            if !leaked.isEmpty { onLeak(leaked) }
        }
    }

    /// The state of the session after the last call; `unusable` while one runs, and after an abort or a stop.
    var transactionStatus: TransactionStatus { interruption.isAborted ? .unusable : status.withLock { $0 } }

    var isAborted: Bool { interruption.isAborted }

    func abort() { interruption.abort() }

    /// Runs `body` on the thread.
    ///
    /// - Throws: what `body` throws; `.cancelled` or `.timedOut` with `requestSent == false` when it never began;
    ///   `.embedded` when the connection is closed or aborted.
    func call<R: Sendable>(
        deadline: MonotonicInstant, _ body: @escaping @Sendable (SQLiteHandle) throws(DriverError) -> R
    ) async throws(DriverError) -> R {
        let limits = CallLimits(deadline: deadline, busyTimeout: busyTimeout)
        let result: Result<R, DriverError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let accepted = queue.submit { [self] handle in
                    continuation.resume(returning: perform(body, on: handle, within: limits))
                }
                if !accepted { continuation.resume(returning: .failure(Self.closed)) }
            }
        } onCancel: {
            interruption.cancel(limits)
        }
        return try result.get()
    }

    /// On the thread.
    private func perform<R>(
        _ body: (SQLiteHandle) throws(DriverError) -> R, on handle: SQLiteHandle, within limits: CallLimits
    ) -> Result<R, DriverError> {
        guard interruption.begin(limits) else { return .failure(Self.closed) }
        defer { interruption.end() }
        if limits.stopRequest == .cancelled {
            return .failure(DriverError(.cancelled, "cancelled before the call began", requestSent: false))
        }
        if MonotonicInstant.now >= limits.deadline {
            return .failure(DriverError(.timedOut, "the deadline passed before the call began", requestSent: false))
        }
        status.withLock { $0 = .unusable }
        handle.limits = limits
        defer {
            handle.limits = nil
            status.withLock { $0 = handle.transactionStatus }
        }
        do throws(DriverError) {
            return .success(try body(handle))
        } catch {
            return .failure(error)
        }
    }

    private static let closed = DriverError(
        .embedded(code: "SQLITE_MISUSE"), "the connection was closed or aborted", requestSent: false)

    /// Interrupts what runs, then lets the thread close the file and end. Returns at once; safe to call twice.
    func beginStop() {
        interruption.abort()
        guard queue.close() else { return }
        // Joining blocks, until the file is closed: not on the cooperative pool.
        DispatchQueue.global().async { [self] in
            thread.join()
            ending.markEnded()
        }
    }

    /// Waits until the file is closed and the thread is gone.
    ///
    /// - Returns: `false` when that takes longer than the deadline, which only a system call that hangs can cause. The
    ///   thread goes on by itself then, and is still joined.
    @discardableResult
    func waitUntilStopped(deadline: MonotonicInstant) async -> Bool { await ending.wait(until: deadline) }
}
