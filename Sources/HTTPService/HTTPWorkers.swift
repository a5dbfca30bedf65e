import Dispatch
import Threading

/// A few threads for work that may wait. They are made when they are needed. Thread-safe.
final class HTTPWorkers: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var idle = 0
        var threads: [ServiceThread] = []
        var isClosed = false
    }

    private let limit: Int
    private let state = Lock(State())
    private let ready = DispatchSemaphore(value: 0)

    init(limit: Int) { self.limit = limit }

    /// Runs the job as soon as a thread is free.
    ///
    /// - Returns: false when it was closed; the job does not run then.
    func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isClosed else { return false }
            state.jobs.append(job)
            if state.jobs.count > state.idle, state.threads.count < limit {
                state.threads.append(ServiceThread(name: "http worker") { [self] in work() })
            }
            return true
        }
        if isTaken { ready.signal() }
        return isTaken
    }

    /// Waits until every job has run, and ends the threads.
    func close() {
        let threads = state.withLock { state in
            state.isClosed = true
            defer { state.threads = [] }
            return state.threads
        }
        for _ in threads { ready.signal() }
        for thread in threads { thread.join() }
    }

    private func work() {
        while true {
            state.withLock { $0.idle += 1 }
            ready.wait()
            let (job, isOver) = state.withLock { state in
                state.idle -= 1
                return (state.jobs.isEmpty ? nil : state.jobs.removeFirst(), state.isClosed)
            }
            if let job { job() } else if isOver { return }
        }
    }
}
