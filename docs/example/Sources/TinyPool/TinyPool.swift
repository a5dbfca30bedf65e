import Synchronization

/// A small connection pool, as somebody might write it in an afternoon.
public final class TinyPool: Sendable {
    private struct State {
        var idle: [TinyConnection] = []
        /// Lent, idle, or being opened.
        var places = 0
        var waiting: [(id: Int, continuation: CheckedContinuation<Grant, Never>)] = []
        var nextID = 0
        var isClosed = false
    }

    private enum Grant {
        case connection(TinyConnection)
        /// There is room for one more.
        case place
        case refused(TinyError)
        case mustWait
    }

    private let url: String
    private let maxOpen: Int
    private let acquireTimeout: Duration
    private let state = Mutex(State())

    public init(url: String, maxOpen: Int, acquireTimeout: Duration) {
        self.url = url
        self.maxOpen = maxOpen
        self.acquireTimeout = acquireTimeout
    }

    public var counts: (open: Int, idle: Int, waiting: Int) {
        state.withLock { ($0.places, $0.idle.count, $0.waiting.count) }
    }

    public func acquire() async throws -> TinyConnection {
        switch await grant() {
        case .connection(let connection): return connection
        case .refused(let error): throw error
        case .place, .mustWait:
            do { return try await TinyConnection.open(url) } catch {
                freePlace()
                throw error
            }
        }
    }

    public func release(_ connection: TinyConnection) async {
        guard await connection.isReusable(), !state.withLock({ $0.isClosed }) else {
            await connection.close()
            return freePlace()
        }
        let next = state.withLock { state in
            if state.waiting.isEmpty {
                state.idle.append(connection)
                return nil as CheckedContinuation<Grant, Never>?
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume(returning: .connection(connection))
    }

    public func close() async {
        let (idle, waiting) = state.withLock { state in
            defer { (state.idle, state.waiting) = ([], []) }
            state.isClosed = true
            state.places -= state.idle.count
            return (state.idle, state.waiting)
        }
        for waiter in waiting { waiter.continuation.resume(returning: .refused(.closed)) }
        for connection in idle { await connection.close() }
    }

    private func grant() async -> Grant {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let timer = Task {
            try await Task.sleep(for: acquireTimeout)
            giveUp(id, .timedOut)
        }
        defer { timer.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let grant = state.withLock { state -> Grant in
                    if state.isClosed { return .refused(.closed) }
                    if let connection = state.idle.popLast() { return .connection(connection) }
                    if state.places < maxOpen {
                        state.places += 1
                        return .place
                    }
                    state.waiting.append((id, continuation))
                    return .mustWait
                }
                if case .mustWait = grant { return }
                continuation.resume(returning: grant)
            }
        } onCancel: {
            giveUp(id, .timedOut)
        }
    }

    private func giveUp(_ id: Int, _ error: TinyError) {
        let waiter = state.withLock { state in
            state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
        }
        waiter?.continuation.resume(returning: .refused(error))
    }

    /// A connection is gone: who waits longest may open another.
    private func freePlace() {
        let next = state.withLock { state in
            if state.waiting.isEmpty {
                state.places -= 1
                return nil as CheckedContinuation<Grant, Never>?
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume(returning: .place)
    }
}
