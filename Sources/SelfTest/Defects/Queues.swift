import RigModel
import Threading
import Workloads

/// Queues in which some wait for much longer than others.
enum Queues {
    static let all: [Defect] = [
        Defect(
            "queue-last-in-first-out", .queue, "of those who wait the last one is served first", breaks: "fair-queue",
            in: .contended.judging("fair-queue: {}"), short: true, pool: { LIFOGate(places: 4) }),
        Defect(
            "acquire-tail", .queue, "one acquire in two hundred waits for a second for no reason",
            breaks: "acquire-tail", in: .contended.judging("acquire-tail: {limit: 500ms, settle: 1s}"),
            pool: { LongTail() }),
    ]
}

/// So many may use the pool; the others stand on a pile.
private struct LIFOGate: PoolDefect {
    private struct State: Sendable {
        var free: Int
        var pile: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Memory<State>

    init(places: Int) { state = Memory(State(free: places)) }

    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        let began = MonotonicInstant.now
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let mayEnter = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.pile.append(continuation)
                return false
            }
            if mayEnter { continuation.resume() }
        }
        let waited = began.duration(to: .now).nanoseconds
        var report = await pool.use(request)
        report.completion.acquireNanoseconds = (report.completion.acquireNanoseconds ?? 0) + waited
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if let last = state.pile.popLast() { return last }
            state.free += 1
            return nil
        }
        next?.resume()
        return report
    }
}

private struct LongTail: PoolDefect {
    private static let wait = Duration.milliseconds(900)
    private let tally = Tally()

    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        guard tally.isEvery(200) else { return await pool.use(request) }
        try? await Task.sleep(for: Self.wait)
        var report = await pool.use(request)
        report.completion.acquireNanoseconds = (report.completion.acquireNanoseconds ?? 0) + Self.wait.nanoseconds
        return report
    }
}
