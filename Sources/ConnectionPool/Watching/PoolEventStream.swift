import Threading

/// The events of a pool from the moment of its making, for one reader. Ends when its hub is finished, or the task that
/// reads is cancelled.
///
/// Its buffer is bounded: a reader that is too slow loses the oldest events, and can see how many.
public final class PoolEventStream: AsyncSequence, Sendable {
    public typealias Element = PoolEvent

    private struct State: Sendable {
        /// A ring: the oldest is at `start`.
        var ring: [PoolEvent] = []
        var start = 0
        var dropped = 0
        var isFinished = false
        var reader: CheckedContinuation<PoolEvent?, Never>?

        mutating func takeOldest() -> PoolEvent? {
            guard start < ring.count else { return nil }
            defer {
                start += 1
                if start == ring.count {
                    ring.removeAll(keepingCapacity: true)
                    start = 0
                }
            }
            return ring[start]
        }
    }

    private let capacity: Int
    private let state = Lock(State())
    private let onEnd: @Sendable () -> Void

    init(capacity: Int, onEnd: @escaping @Sendable () -> Void) {
        self.capacity = Swift.max(1, capacity)
        self.onEnd = onEnd
    }

    deinit { onEnd() }

    /// Events that were lost because nobody took them in time.
    public var droppedCount: Int { state.withLock { $0.dropped } }

    func add(_ event: PoolEvent) {
        let reader = state.withLock { state -> CheckedContinuation<PoolEvent?, Never>? in
            if state.isFinished { return nil }
            if let reader = state.reader.take() { return reader }
            if state.ring.count - state.start == capacity {
                state.start += 1
                state.dropped += 1
            }
            // Once per `capacity` events at the most, so each costs O(1).
            if state.start >= capacity {
                state.ring.removeFirst(state.start)
                state.start = 0
            }
            state.ring.append(event)
            return nil
        }
        reader?.resume(returning: event)
    }

    /// No more events; what is in the buffer can still be read.
    func finish() {
        let reader = state.withLock { state in
            state.isFinished = true
            return state.reader.take()
        }
        reader?.resume(returning: nil)
    }

    public func makeAsyncIterator() -> Iterator { Iterator(stream: self) }

    public struct Iterator: AsyncIteratorProtocol {
        let stream: PoolEventStream

        /// The next event; `nil` at the end, and when the task is cancelled.
        public func next() async -> PoolEvent? { await stream.next() }
    }

    private func next() async -> PoolEvent? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (isReady, event) = state.withLock { state -> (Bool, PoolEvent?) in
                    if let event = state.takeOldest() { return (true, event) }
                    if state.isFinished || Task.isCancelled { return (true, nil) }
                    precondition(state.reader == nil, "an event stream has one reader")
                    state.reader = continuation
                    return (false, nil)
                }
                if isReady { continuation.resume(returning: event) }
            }
        } onCancel: {
            let reader = state.withLock { $0.reader.take() }
            reader?.resume(returning: nil)
        }
    }
}
