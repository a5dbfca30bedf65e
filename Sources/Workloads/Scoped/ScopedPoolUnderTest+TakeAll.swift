import ConnectionPool
import RigModel
import Threading

extension ScopedPoolUnderTest {
    /// From the acquire timeout to the end of the patience with a pool that does not keep it.
    private static let grace = Duration.seconds(2)
    private static let lookEvery = Duration.milliseconds(2)

    package func takeAll(_ count: Int) async -> (got: Int, took: Duration)? {
        let startedAt = runtime.now
        let gathering = Gathering()
        let tasks = (0..<count).map { _ in
            Task.detached { [self] in
                do {
                    try await pool.withConnection { [runtime] _ in
                        gathering.arrive(after: startedAt.duration(to: runtime.now))
                        await gathering.end.pass()
                    }
                } catch {}
                gathering.leave()
            }
        }
        let limit = startedAt.advanced(by: options.acquireTimeout + Self.grace)
        await wait(until: limit) { gathering.settled >= count }
        let result = gathering.result
        gathering.end.open()
        for task in tasks { task.cancel() }
        // Until all are given back, but not for ever: a pool may never answer.
        await wait(until: runtime.now.advanced(by: Self.grace)) { gathering.left >= count }
        return result
    }

    private func wait(until limit: MonotonicInstant, _ isReached: () -> Bool) async {
        while !isReached(), runtime.now < limit {
            guard (try? await runtime.sleep(until: runtime.now.advanced(by: Self.lookEvery))) != nil else { return }
        }
    }
}

/// Who asked for a connection at the same time, and what came of it. Thread-safe.
private final class Gathering: Sendable {
    private struct State {
        var got = 0
        var left = 0
        var took = Duration.zero
    }

    /// Until it is open, who has a connection keeps it.
    let end = OneTimeGate()
    private let state = Lock(State())

    func arrive(after took: Duration) {
        state.withLock { state in
            state.got += 1
            state.took = max(state.took, took)
        }
    }

    func leave() { state.withLock { $0.left += 1 } }

    /// Of these it is known whether they get one: before the end nobody leaves who has one.
    var settled: Int { state.withLock { $0.got + $0.left } }
    var left: Int { state.withLock { $0.left } }
    var result: (got: Int, took: Duration) { state.withLock { ($0.got, $0.took) } }
}
