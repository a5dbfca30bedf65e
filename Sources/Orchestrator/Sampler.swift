import ConnectionPool
import EventLoop
import Probes
import RigModel
import Threading
import Workloads

/// Looks at the pool and at its surroundings at fixed intervals and tells the history.
final class Sampler: Sendable {
    private static let gaugesEvery = Duration.milliseconds(50)
    private static let sampleEvery = Duration.milliseconds(250)

    private let tasks: [Task<Void, Never>]
    private let stalls: StallWatch

    /// Starts at once. End it with ``stop()``.
    init(pool: any PoolUnderTest, target: any RunTarget, loop: EventLoop, sink: any EventSink) {
        let runtime = LoopRuntime(loop: loop)
        let gauges = runtime.run(near: -1) {
            await Self.repeatUntilCancelled(every: Self.gaugesEvery, runtime) {
                let gauges = pool.gauges
                sink.record(
                    .info, .pool, "gauges",
                    [
                        "open": JSONValue(gauges.open), "idle": JSONValue(gauges.idle),
                        "in_use": JSONValue(gauges.inUse), "connecting": JSONValue(gauges.connecting),
                        "waiting": JSONValue(gauges.waiting),
                    ])
            }
        }
        let samples = runtime.run(near: -1) {
            await Self.repeatUntilCancelled(every: Self.sampleEvery, runtime) {
                let books = await target.outsideBooks(afterClose: false)
                sink.record(
                    .info, .probe, "sample",
                    [
                        "server_sessions": JSONValue(books.serverSessions),
                        "client_sockets": JSONValue(books.clientSockets),
                        "descriptors": JSONValue(DescriptorProbe.openDescriptors(of: target.poolPID)),
                        "rss_bytes": JSONValue(MemoryProbe.residentBytes(of: target.poolPID)),
                    ])
            }
        }
        tasks = [gauges, samples]
        stalls = StallWatch(onStall: { lateness in
            sink.record(.info, .probe, "stall", ["late_ns": JSONValue(lateness.nanoseconds)])
        })
    }

    /// Ends the sampling and waits until no sample is under way.
    func stop() async {
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        stalls.stop()
    }

    private static func repeatUntilCancelled(
        every interval: Duration, _ runtime: LoopRuntime, _ body: () async -> Void
    ) async {
        while !Task.isCancelled {
            await body()
            guard (try? await runtime.sleep(until: runtime.now.advanced(by: interval))) != nil else { return }
        }
    }
}
