package import ConnectionPool
package import RigModel
import Threading

/// Closes a pool under test, and tells the history how that went. A pool that never ends its close is a finding, and must not keep
/// the run from saying so.
package struct PoolClosing: Sendable {
    /// How much longer than its own limit the pool's close may take, before the run goes on without it.
    private static let grace = Duration.seconds(10)

    /// The pool's own.
    private let limit: Duration
    private let runtime: any PoolRuntime
    private let sink: any EventSink

    package init(limit: Duration, runtime: any PoolRuntime, sink: any EventSink) {
        self.limit = limit
        self.runtime = runtime
        self.sink = sink
    }

    /// - Parameter number: of the pool, where one follows it; `nil`: the run's last one.
    /// - Returns: how many leases it cut; `nil` when it had not ended by then.
    @discardableResult
    package func close(_ pool: any PoolUnderTest, number: Int? = nil) async -> Int? {
        let startedAt = runtime.now
        let cut = await bounded(pool)
        var value: [JSONValue.Member] = [
            .init("took_ns", JSONValue(startedAt.duration(to: runtime.now).nanoseconds)),
            .init("limit_ns", JSONValue(limit.nanoseconds)), .init("leases_cut", JSONValue(cut)),
        ]
        if let number { value.append(.init("pool", JSONValue(number))) }
        sink.record(.info, .pool, "closed", .object(value))
        return cut
    }

    private func bounded(_ pool: any PoolUnderTest) async -> Int? {
        await withCheckedContinuation { (continuation: CheckedContinuation<Int?, Never>) in
            let end = ClosingEnd(continuation)
            let watch = runtime.run(near: -1) { [runtime, limit] in
                let latest = runtime.now.advanced(by: limit + Self.grace)
                if (try? await runtime.sleep(until: latest)) != nil { end.tell(nil) }
            }
            _ = runtime.run(near: -1) {
                end.tell(await pool.close())
                watch.cancel()
            }
        }
    }
}

/// The first word about a close counts.
private final class ClosingEnd: Sendable {
    private let waiting: Lock<CheckedContinuation<Int?, Never>?>

    init(_ continuation: CheckedContinuation<Int?, Never>) { waiting = Lock(continuation) }

    func tell(_ cut: Int?) {
        let continuation = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        continuation?.resume(returning: cut)
    }
}
