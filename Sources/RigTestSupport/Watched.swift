import Threading

/// A value behind a lock that a test can wait on: it names the condition and is woken when it holds. No polling, no time.
package final class Watched<Value: Sendable>: Sendable {
    private struct State: Sendable {
        var value: Value
        var nextWatcher = 0
        var watchers: [Int: Watcher] = [:]
    }

    private struct Watcher: Sendable {
        let isMet: @Sendable (Value) -> Bool
        let continuation: CheckedContinuation<Bool, Never>
    }

    private let state: Lock<State>

    package init(_ initial: Value) { state = Lock(State(value: initial)) }

    package var value: Value { state.withLock { $0.value } }

    /// Changes the value, and wakes those who waited for that. Do not call back from `body`.
    @discardableResult
    package func change<R>(_ body: (inout Value) -> R) -> R {
        let (result, woken) = state.withLock { state -> (R, [Watcher]) in
            let result = body(&state.value)
            if state.watchers.isEmpty { return (result, []) }
            let met = state.watchers.filter { $0.value.isMet(state.value) }
            for key in met.keys { state.watchers[key] = nil }
            return (result, Array(met.values))
        }
        for watcher in woken { watcher.continuation.resume(returning: true) }
        return result
    }

    /// Returns as soon as the condition holds.
    ///
    /// - Throws: `CancellationError` when the task is cancelled first, for example by the time limit of its test.
    package func wait(until isMet: @escaping @Sendable (Value) -> Bool) async throws {
        let id = state.withLock { state in
            defer { state.nextWatcher += 1 }
            return state.nextWatcher
        }
        let isDone = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Bool? in
                    if isMet(state.value) { return true }
                    // Inside the lock, or a cancel between the look and the registration would be lost.
                    if Task.isCancelled { return false }
                    state.watchers[id] = Watcher(isMet: isMet, continuation: continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let watcher = state.withLock { $0.watchers.removeValue(forKey: id) }
            watcher?.continuation.resume(returning: false)
        }
        guard isDone else { throw CancellationError() }
    }
}
