import ConnectionPool
import Orchestrator
import Threading

/// Time and threads that stop working for the pool once `isDead` says so.
struct PlantedRuntime: PoolRuntime {
    let base: any PoolRuntime
    /// Alarms ring no more.
    var alarmsDead: @Sendable () -> Bool = { false }
    /// Background work is dropped.
    var workersDead: @Sendable () -> Bool = { false }

    var now: MonotonicInstant { base.now }

    func makeAlarm(_ fire: @escaping @Sendable () -> Void) -> any PoolAlarm {
        base.makeAlarm { if !alarmsDead() { fire() } }
    }

    func run(near affinity: Int32, _ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        workersDead() ? Task {} : base.run(near: affinity, work)
    }

    func sleep(until instant: MonotonicInstant) async throws { try await base.sleep(until: instant) }
}

/// The timers die with the first connect that fails.
enum DeadTimers {
    static func decoration() -> PoolDecoration {
        let news = ConnectNews()
        var decoration = PoolDecoration()
        decoration.runtime = { PlantedRuntime(base: $0, alarmsDead: { news.hasFailed }) }
        decoration.observer = { TellingObserver(base: $0, news: news) }
        return decoration
    }
}

/// Background work dies with the first connection that is lost.
enum DeadWorker {
    static func decoration() -> PoolDecoration {
        let news = ConnectNews()
        var decoration = PoolDecoration()
        decoration.runtime = { PlantedRuntime(base: $0, workersDead: { news.hasLost }) }
        decoration.observer = { TellingObserver(base: $0, news: news) }
        return decoration
    }
}

/// What a planted runtime has to know of its pool.
final class ConnectNews: Sendable {
    private let failed = Lock(false)
    private let lost = Lock(false)

    var hasFailed: Bool { failed.withLock { $0 } }
    var hasLost: Bool { lost.withLock { $0 } }
    func noteFailure() { failed.withLock { $0 = true } }
    func noteLoss() { lost.withLock { $0 = true } }
}

private struct TellingObserver: PoolObserver {
    let base: any PoolObserver
    let news: ConnectNews

    func poolConnected(_ handle: ConnectionHandle, backendPID: Int?, took: Duration) {
        base.poolConnected(handle, backendPID: backendPID, took: took)
    }

    func poolConnectFailed(_ error: DriverError) {
        news.noteFailure()
        base.poolConnectFailed(error)
    }

    func poolNoticed(_ notice: PoolNotice, backendPID: Int?) {
        if case .closing(_, .lost) = notice { news.noteLoss() }
        base.poolNoticed(notice, backendPID: backendPID)
    }
}
