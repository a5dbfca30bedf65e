import Threading

/// Something that ends once, and tasks that wait for it with a bound. Thread-safe.
final class Ending: Sendable {
    /// One task that waits; whoever is first resumes it, once.
    private final class Waiter: Sendable {
        private let continuation = Lock<CheckedContinuation<Bool, Never>?>(nil)
        init(_ continuation: CheckedContinuation<Bool, Never>) {
            self.continuation.withLock { $0 = continuation }
        }
        func resume(ended: Bool) { continuation.withLock { $0.take() }?.resume(returning: ended) }
    }

    private struct State {
        var hasEnded = false
        var waiters: [Waiter] = []
    }

    private let state = Lock(State())

    func markEnded() {
        let waiters = state.withLock { state in
            state.hasEnded = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(ended: true) }
    }

    /// - Returns: `false` when the deadline came first. Cancelling the task changes nothing.
    func wait(until deadline: MonotonicInstant) async -> Bool {
        let timer = Lock<Task<Void, Never>?>(nil)
        let ended = await withCheckedContinuation { continuation in
            let waiter = Waiter(continuation)
            let isOver = state.withLock { state in
                if !state.hasEnded { state.waiters.append(waiter) }
                return state.hasEnded
            }
            if isOver { return waiter.resume(ended: true) }
            timer.withLock {
                $0 = Task {
                    try? await Task.sleep(for: max(.zero, MonotonicInstant.now.duration(to: deadline)))
                    waiter.resume(ended: false)
                }
            }
        }
        timer.withLock { $0.take() }?.cancel()
        return ended
    }
}
