import CSQLite
import ConnectionPool
import Synchronization
import Threading

/// Lets one call at a time use a handle, and lets other threads end it: by cancellation, abort, deadline or close.
/// Thread-safe; nothing here waits.
///
/// The lock makes two promises: an interrupt reaches only the call that it was meant for, and never a handle that is being
/// closed (which `sqlite3_interrupt` forbids). A call may leave the handle while it waits for a lock, and come back.
final class CallGate: Sendable {
    /// Why a call must end early.
    enum StopRequest: UInt8 {
        case none
        case cancelled
        case aborted
        /// Somebody asked to end the statement; its caller did not.
        case interrupted
    }

    enum Refusal: Error {
        /// Closed, aborted, or about to be.
        case closed
        /// Another call is under way: two borrowers at once.
        case inUse
    }

    enum Closing {
        /// The handle is the caller's, who must close it.
        case now
        /// The call that runs will close it when it ends.
        case afterCall
        /// Somebody else has asked before.
        case alreadyRequested
    }

    private struct State {
        var database: OpaquePointer?
        var isRunning = false
        /// Runs, or waits between two tries.
        var isInCall = false
        /// The number of the last call.
        var call: UInt64 = 0
        var isClosing = false
    }

    private let state = Lock(State())
    private let stopRaw = Atomic<UInt8>(StopRequest.none.rawValue)
    private let aborted = Atomic<Bool>(false)
    private let status = Atomic<UInt8>(CallGate.code(of: .unusable))
    /// Of the call that runs, in nanoseconds; `.max` while none runs.
    private let deadline = Atomic<UInt64>(.max)

    var isAborted: Bool { aborted.load(ordering: .acquiring) }

    var stopRequest: StopRequest { StopRequest(rawValue: stopRaw.load(ordering: .acquiring)) ?? .none }

    /// The state of the session after the last call; `unusable` while one is under way, and after an abort or a close.
    var transactionStatus: TransactionStatus {
        if isAborted { return .unusable }
        switch status.load(ordering: .acquiring) {
        case Self.code(of: .idle): return .idle
        case Self.code(of: .inTransaction): return .inTransaction
        default: return .unusable
        }
    }

    private static func code(of status: TransactionStatus) -> UInt8 {
        switch status {
        case .idle: 0
        case .inTransaction: 1
        default: 2
        }
    }

    /// Names the open handle; `nil` before it is closed.
    func attach(_ database: OpaquePointer?) { state.withLock { $0.database = database } }

    // MARK: The call itself

    /// Begins a call, or goes on with one that has left the handle for a while.
    ///
    /// - Parameter call: the number of the call that goes on; `nil` for a new one.
    /// - Returns: the number of the call.
    func enter(_ call: UInt64? = nil, deadline limit: MonotonicInstant) throws(Refusal) -> UInt64 {
        let number = try state.withLock { state throws(Refusal) in
            if state.isClosing || isAborted { throw .closed }
            if state.isRunning || (state.isInCall && call == nil) { throw .inUse }
            state.isRunning = true
            if call == nil {
                state.isInCall = true
                state.call += 1
                stopRaw.store(StopRequest.none.rawValue, ordering: .relaxed)
                status.store(Self.code(of: .unusable), ordering: .relaxed)
            }
            return state.call
        }
        deadline.store(limit.nanoseconds, ordering: .relaxed)
        return number
    }

    /// The call leaves the handle.
    ///
    /// - Parameter status: of the session at the end of the call; `nil` when the call comes back.
    /// - Returns: `true` when a close was asked for meanwhile: the caller must close the handle now.
    func leave(with status: TransactionStatus?) -> Bool {
        deadline.store(.max, ordering: .relaxed)
        if let status { self.status.store(Self.code(of: status), ordering: .releasing) }
        return state.withLock { state in
            state.isRunning = false
            if status != nil { state.isInCall = false }
            return state.isClosing
        }
    }

    /// A call that waits between two tries is over: it does not come back to the handle.
    func giveUp(_ call: UInt64, with status: TransactionStatus) {
        state.withLock { state in
            guard state.call == call, state.isInCall, !state.isRunning, !state.isClosing else { return }
            state.isInCall = false
            self.status.store(Self.code(of: status), ordering: .releasing)
        }
    }

    // MARK: Others

    /// Ends the call soon, whether it runs or waits for a lock. Does nothing when it is over.
    func cancel(_ call: UInt64) {
        state.withLock { state in
            if state.call == call { Self.stop(&state, stopRaw, .cancelled) }
        }
    }

    /// Ends the call that is under way, as its server would.
    func interrupt() { state.withLock { Self.stop(&$0, stopRaw, .interrupted) } }

    /// Ends the running call soon and refuses every later one.
    func abort() {
        aborted.store(true, ordering: .releasing)
        state.withLock { Self.stop(&$0, stopRaw, .aborted) }
    }

    /// The first request stays.
    private static func stop(_ state: inout State, _ request: borrowing Atomic<UInt8>, _ reason: StopRequest) {
        guard state.isInCall else { return }
        _ = request.compareExchange(
            expected: StopRequest.none.rawValue, desired: reason.rawValue, ordering: .acquiringAndReleasing)
        if state.isRunning, let database = state.database { sqlite3_interrupt(database) }
    }

    /// Interrupts the running call when its deadline has passed. The progress handler does that earlier for all but a few
    /// long steps, such as counting a large table.
    func expire(at now: MonotonicInstant) {
        guard deadline.load(ordering: .relaxed) <= now.nanoseconds else { return }
        state.withLock { state in
            // Read again: another call may have begun.
            guard state.isRunning, deadline.load(ordering: .relaxed) <= now.nanoseconds else { return }
            if let database = state.database { sqlite3_interrupt(database) }
        }
    }

    /// Ends what runs, and takes the handle from all calls.
    func beginClose() -> Closing {
        abort()
        return state.withLock { state in
            if state.isClosing { return .alreadyRequested }
            state.isClosing = true
            return state.isRunning ? .afterCall : .now
        }
    }
}
