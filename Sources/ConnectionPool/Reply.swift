import Threading

/// A value that one task waits for, and that whoever is first sends. Thread-safe.
final class Reply<Value: Sendable>: Sendable {
    private enum State: Sendable {
        /// Next: `awaited` or `sent`.
        case empty
        /// Next: `taken`.
        case awaited(CheckedContinuation<Value, Never>)
        /// Next: `taken`.
        case sent(Value)
        case taken
    }

    private let state = Lock(State.empty)

    /// Does nothing when there is an answer already.
    func send(_ value: Value) {
        let waiting = state.withLock { state -> CheckedContinuation<Value, Never>? in
            switch state {
            case .empty: state = .sent(value)
            case .awaited(let continuation):
                state = .taken
                return continuation
            case .sent, .taken: break
            }
            return nil
        }
        waiting?.resume(returning: value)
    }

    /// Waits for the answer. May be called once.
    ///
    /// - Parameters:
    ///   - late: the answer at the deadline.
    ///   - cancelled: the answer when the task is cancelled.
    func wait(
        until deadline: MonotonicInstant, _ runtime: any PoolRuntime, late: Value, cancelled: Value
    ) async -> Value {
        var timer: Task<Void, Never>?
        if deadline < .distantFuture {
            timer = runtime.run(near: -1) {
                if (try? await runtime.sleep(until: deadline)) != nil { self.send(late) }
            }
        }
        let value = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state -> Value? in
                    switch state {
                    case .empty:
                        state = .awaited(continuation)
                        return nil
                    case .sent(let value):
                        state = .taken
                        return value
                    case .awaited, .taken: preconditionFailure("a reply is awaited twice")
                    }
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            send(cancelled)
        }
        timer?.cancel()
        return value
    }
}
