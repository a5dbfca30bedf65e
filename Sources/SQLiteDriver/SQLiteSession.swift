import ConnectionPool
import RigModel
import Threading

/// An open file and the calls on it: which thread, one at a time, with a bound. Thread-safe.
///
/// What a deadline cannot end is a system call that hangs in the kernel (a dead disk): the call then returns with it.
final class SQLiteSession: @unchecked Sendable {
    // @unchecked: the gate lets one call at a time touch the handle.
    let threads: SQLiteThreads
    let counter = CacheCounter()
    private let gate = CallGate()
    private let handle: SQLiteHandle
    private let busyNanoseconds: UInt64
    private let books: DriverBooks
    private let ending = Ending()

    /// ``beginStop()`` must follow once ``open(_:deadline:)`` has been called.
    init(threads: SQLiteThreads, configuration: SQLiteConfiguration, books: DriverBooks) {
        self.threads = threads
        self.books = books
        busyNanoseconds = UInt64(clamping: configuration.busyTimeout.nanoseconds)
        handle = SQLiteHandle(gate: gate, cacheSize: configuration.statementCacheSize, counter: counter)
    }

    var transactionStatus: TransactionStatus { gate.transactionStatus }
    var isAborted: Bool { gate.isAborted }

    /// What ``SessionSettings`` were at connect.
    var newSessionSettings: SessionSettings? { books.settings }

    // MARK: Calls

    func open(_ configuration: SQLiteConfiguration, deadline: MonotonicInstant) async throws(DriverError) {
        guard threads.add(self) else { throw Self.closed }
        books.opened(counter)
        // The switch to WAL can be busy without SQLite's asking whether to wait, when several connections make it at once.
        try await call(deadline: deadline, waitsWhenever: true) { handle throws(DriverError) in
            try handle.open(configuration)
        }
        if books.settings == nil {
            books.learn(
                try await call(deadline: deadline) { handle throws(DriverError) in
                    try SessionSettings(of: handle)
                })
        }
    }

    /// Runs one statement.
    func execute(_ statement: SQLStatement, deadline: MonotonicInstant) async throws(DriverError) -> SQLResult {
        guard let worker = threads.current else {
            return try await threads.run { () async throws(DriverError) in
                try await self.executeHere(statement, deadline: deadline, now: .now)
            }
        }
        let now = MonotonicInstant.now
        guard worker.mustYield(at: now) else { return try await executeHere(statement, deadline: deadline, now: now) }
        await Task.yield()
        return try await executeHere(statement, deadline: deadline, now: .now)
    }

    /// The same for a caller on a thread of the group.
    func executeHere(_ statement: SQLStatement, deadline: MonotonicInstant) async throws(DriverError) -> SQLResult {
        try await executeHere(statement, deadline: deadline, now: .now)
    }

    /// The fast way: a statement that is known to be quick runs without a handler for cancellation, which would cost a
    /// tenth of a look-up by key. Everything else goes the long way.
    private func executeHere(
        _ statement: SQLStatement, deadline: MonotonicInstant, now: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        let limits = CallLimits(deadline: deadline, busyNanoseconds: busyNanoseconds, now: now)
        let call = try begin(limits)
        guard handle.isQuick(statement.text) else {
            return try await finish(call, within: limits) { handle throws(DriverError) in try handle.run(statement) }
        }
        let result: Result<SQLResult, DriverError>
        do throws(DriverError) {
            result = .success(try handle.run(statement))
        } catch {
            if case .busy = error.cause, handle.askedToWait {
                return try await finish(call, within: limits, after: error) { handle throws(DriverError) in
                    try handle.run(statement)
                }
            }
            result = .failure(error)
        }
        end()
        return try result.get()
    }

    /// Runs `body` on a thread of the group.
    ///
    /// - Parameter waitsWhenever: also after a `.busy` for which SQLite did not ask whether to wait.
    /// - Throws: what `body` throws; `.cancelled` or `.timedOut` with `requestSent == false` when it never began;
    ///   `.embedded` when the connection is closed, aborted or in use.
    func call<R: Sendable>(
        deadline: MonotonicInstant, waitsWhenever: Bool = false,
        _ body: @escaping @Sendable (SQLiteHandle) throws(DriverError) -> R
    ) async throws(DriverError) -> R {
        try await threads.run { () async throws(DriverError) in
            let limits = CallLimits(deadline: deadline, busyNanoseconds: self.busyNanoseconds, now: .now)
            let call = try self.begin(limits)
            return try await self.finish(call, within: limits, waitsWhenever: waitsWhenever, body)
        }
    }

    /// Takes the handle for a new call. On a thread of the group.
    private func begin(_ limits: CallLimits) throws(DriverError) -> UInt64 {
        guard threads.current != nil else { throw Self.closed }
        if Task.isCancelled {
            throw DriverError(.cancelled, "cancelled before the call began", requestSent: false)
        }
        if limits.begin >= limits.deadline {
            throw DriverError(.timedOut, "the deadline passed before the call began", requestSent: false)
        }
        let call = try enter(nil, deadline: limits.deadline)
        handle.limits = limits
        return call
    }

    private func enter(_ call: UInt64?, deadline: MonotonicInstant) throws(DriverError) -> UInt64 {
        do throws(CallGate.Refusal) {
            return try gate.enter(call, deadline: deadline)
        } catch {
            switch error {
            case .closed: throw Self.closed
            case .inUse: throw Self.inUse
            }
        }
    }

    /// Gives the handle back at the end of a call.
    private func end() {
        handle.limits = nil
        if gate.leave(with: handle.transactionStatus) { closeFile() }
    }

    /// The long way: with a handler for cancellation, and with tries until nobody else has the lock. Between them the
    /// thread is free for others, who may be just those that must finish first.
    ///
    /// - Parameter failed: the error of the first try; `nil` when it has not been made.
    private func finish<R>(
        _ call: UInt64, within limits: CallLimits, after failed: DriverError? = nil, waitsWhenever: Bool = false,
        _ body: (SQLiteHandle) throws(DriverError) -> R
    ) async throws(DriverError) -> R {
        let result: Result<R, DriverError> = await withTaskCancellationHandler {
            var failed = failed
            var attempt = 0
            while true {
                if let error = failed {
                    let pause = limits.pauseForLock(attempt: attempt, at: .now)
                    guard let pause, gate.stopRequest == .none else {
                        let reported = gate.stopRequest == .none ? error : handle.stopped(error)
                        end()
                        return .failure(reported)
                    }
                    let status = handle.transactionStatus
                    handle.limits = nil
                    if gate.leave(with: nil) { closeFile() }
                    // Ends early when the task is cancelled; then the next try says so.
                    try? await Task.sleep(nanoseconds: UInt64(pause.nanoseconds))
                    attempt += 1
                    do throws(DriverError) { _ = try enter(call, deadline: limits.deadline) } catch {
                        gate.giveUp(call, with: status)
                        return .failure(error)
                    }
                    handle.limits = limits
                    if gate.stopRequest != .none {
                        let reported = handle.stopped(error)
                        end()
                        return .failure(reported)
                    }
                }
                do throws(DriverError) {
                    let value = try body(handle)
                    end()
                    return .success(value)
                } catch {
                    guard case .busy = error.cause, handle.askedToWait || waitsWhenever else {
                        end()
                        return .failure(error)
                    }
                    failed = error
                }
            }
        } onCancel: {
            gate.cancel(call)
        }
        return try result.get()
    }

    /// Runs `body` without a bound and even in a task that is cancelled: for short work that must not be left out, such as a
    /// rollback. Does nothing when the connection is closed, which cleans up as well.
    func cleanUp(_ body: @escaping @Sendable (SQLiteHandle) -> Void) async {
        await withTaskExecutorPreference(threads) { @concurrent @Sendable in
            guard threads.current != nil, (try? gate.enter(deadline: .distantFuture)) != nil else { return }
            body(handle)
            end()
        }
    }

    private static let closed = DriverError(
        .embedded(code: "SQLITE_MISUSE"),
        "the connection was closed or aborted; use another one, from the pool or a new one",
        requestSent: false)

    private static let inUse = DriverError(
        .embedded(code: "SQLITE_MISUSE"),
        "another call is under way on this connection; wait for that call, or use a connection for each task",
        requestSent: false)

    // MARK: From other threads

    func abort() { gate.abort() }

    func interrupt() { gate.interrupt() }

    func expire(at now: MonotonicInstant) { gate.expire(at: now) }

    /// Interrupts what runs, then has the file closed. Returns at once; safe to call twice.
    func beginStop() {
        switch gate.beginClose() {
        case .now:
            if threads.current != nil { return closeFile() }
            Task(executorPreference: threads) { self.closeFile() }
        case .afterCall, .alreadyRequested: break
        }
    }

    /// Waits until the file is closed.
    ///
    /// - Returns: `false` when that takes longer than the deadline, which only a system call that hangs can cause. It is
    ///   closed all the same when that ends.
    @discardableResult
    func waitUntilStopped(deadline: MonotonicInstant) async -> Bool { await ending.wait(until: deadline) }

    /// Called once, by whoever the gate gave the handle to.
    private func closeFile() {
        books.closed(counter, leaked: handle.close())
        threads.remove(self)
        ending.markEnded()
    }
}
