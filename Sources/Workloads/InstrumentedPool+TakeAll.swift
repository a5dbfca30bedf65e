import ConnectionPool
import RigModel
import Threading

extension InstrumentedPool {
    package func takeAll(_ count: Int) async -> (got: Int, took: Duration)? {
        let runtime = pool.runtime
        let startedAt = runtime.now
        let limit = startedAt.advanced(by: pool.configuration.acquireTimeout)
        // Who gave back at the limit itself would hand the connection to a fellow who is just about to give up: had, but not
        // at the same time.
        let patience = limit.advanced(by: .seconds(1))
        let meeting = Meeting(count)
        let tasks = (0..<count).map { _ in
            runtime.run(near: -1) { [pool] in
                guard let lease = try? await pool.acquire(deadline: limit, site: .here()) else { return meeting.miss() }
                meeting.arrive(after: startedAt.duration(to: runtime.now))
                // The limit is for those whose fellows never answer.
                while !meeting.isComplete, runtime.now < patience {
                    let next = runtime.now.advanced(by: .milliseconds(2))
                    guard (try? await runtime.sleep(until: next)) != nil else { break }
                }
                lease.release()
            }
        }
        await withTaskCancellationHandler {
            for task in tasks { await task.value }
        } onCancel: {
            for task in tasks { task.cancel() }
        }
        return meeting.result
    }
}

/// Who asked for a connection at the same time, and what came of it. Thread-safe.
private final class Meeting: Sendable {
    private struct State {
        var got = 0
        var missed = 0
        var took = Duration.zero
    }

    private let asked: Int
    private let state = Lock(State())

    init(_ asked: Int) { self.asked = asked }

    func arrive(after took: Duration) {
        state.withLock { state in
            state.got += 1
            state.took = max(state.took, took)
        }
    }

    func miss() { state.withLock { $0.missed += 1 } }

    /// Nobody else will come.
    var isComplete: Bool { state.withLock { $0.got + $0.missed >= asked } }

    var result: (got: Int, took: Duration) { state.withLock { ($0.got, $0.took) } }
}
