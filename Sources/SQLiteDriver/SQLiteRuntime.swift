import ConnectionPool
import Threading

/// A pool's runtime whose background work, which opens, checks and closes files, runs on the threads for that.
struct SQLiteRuntime: PoolRuntime {
    let base: any PoolRuntime
    let threads: SQLiteThreads

    var now: MonotonicInstant { base.now }

    func makeAlarm(_ fire: @escaping @Sendable () -> Void) -> any PoolAlarm { base.makeAlarm(fire) }

    func run(near affinity: Int32, _ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: threads) { await work() }
    }

    func sleep(until instant: MonotonicInstant) async throws { try await base.sleep(until: instant) }
}
