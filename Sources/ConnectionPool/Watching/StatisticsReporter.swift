import Threading

/// Writes a ``StatisticsLine`` every interval, until it is stopped or its pool is gone.
public final class StatisticsReporter: Sendable {
    private let task: Task<Void, Never>

    /// - Parameters:
    ///   - cache: its hit rate is written, too.
    ///   - sink: called on a thread of the runtime.
    public init<D: Driver>(
        of pool: Pool<D>, every interval: Duration, cache: ResultCache? = nil,
        sink: @escaping @Sendable (String) -> Void
    ) {
        let runtime = pool.runtime
        let driver = pool.driver
        let first = pool.metrics
        let startedAt = runtime.now
        task = runtime.run(near: -1) { [weak lifeline = pool.lifeline] in
            var before = first
            var last = startedAt
            while !Task.isCancelled {
                guard (try? await runtime.sleep(until: last.advanced(by: interval))) != nil,
                    let core = lifeline?.core
                else { return }
                let (now, metrics) = (runtime.now, core.metrics)
                sink(
                    StatisticsLine.text(
                        before: before, now: metrics, interval: last.duration(to: now),
                        statements: driver.statementCacheCounts, cache: cache?.counts))
                (before, last) = (metrics, now)
            }
        }
    }

    deinit { task.cancel() }

    /// Writes no more, and returns when the last line is written.
    public func stop() async {
        task.cancel()
        await task.value
    }
}
