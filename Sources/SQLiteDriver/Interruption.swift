import CSQLite
import Threading

/// What other threads may do to a connection: interrupt the call that runs on it. Thread-safe; nothing here waits.
///
/// The lock makes two promises: an interrupt reaches only the call that it was meant for, and never a handle that is
/// being closed (which `sqlite3_interrupt` forbids).
final class Interruption: Sendable {
    private struct State {
        var database: OpaquePointer?
        var call: CallLimits?
        var isAborted = false
    }

    private let state = Lock(State())

    var isAborted: Bool { state.withLock { $0.isAborted } }

    /// Names the open handle; `nil` before it is closed.
    func attach(_ database: OpaquePointer?) {
        state.withLock { $0.database = database }
    }

    /// - Returns: `false` when the connection has been aborted: nothing may run any more.
    func begin(_ call: CallLimits) -> Bool {
        state.withLock { state in
            guard !state.isAborted else { return false }
            state.call = call
            return true
        }
    }

    func end() {
        state.withLock { $0.call = nil }
    }

    /// Ends `call` soon, whether it runs, waits for a lock or has not begun yet.
    func cancel(_ call: CallLimits) {
        call.stop(.cancelled)
        state.withLock { state in
            // A request that comes before the first step is not seen by sqlite3_interrupt, but by the handlers.
            if state.call === call, let database = state.database { sqlite3_interrupt(database) }
        }
    }

    /// Ends the running call soon and refuses every later one.
    func abort() {
        state.withLock { state in
            state.isAborted = true
            guard let call = state.call else { return }
            call.stop(.aborted)
            if let database = state.database { sqlite3_interrupt(database) }
        }
    }
}
