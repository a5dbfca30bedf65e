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
    ///
    /// - Parameter closed: which connections the pool has closed.
    init(
        pool: any PoolUnderTest, target: any RunTarget, closed: ClosedConnections, loop: EventLoop,
        sink: any EventSink
    ) {
        let runtime = LoopRuntime(loop: loop)
        let gauges = runtime.run(near: -1) {
            guard pool.tellsGauges else { return }
            await Self.repeatUntilCancelled(every: Self.gaugesEvery, runtime) {
                let isWhole = pool.tellsConnecting
                var members = Self.members(of: pool.gauges, connecting: isWhole)
                let each = pool.gaugesOfEach
                if each.count > 1 {
                    members.append(
                        .init("each", .array(each.map { .object(Self.members(of: $0, connecting: isWhole)) })))
                }
                sink.record(.info, .pool, "gauges", .object(members))
            }
        }
        let samples = runtime.run(near: -1) {
            var sessions = SessionWatch()
            await Self.repeatUntilCancelled(every: Self.sampleEvery, runtime) {
                let books = await target.outsideBooks(afterClose: false)
                sink.record(
                    .info, .probe, "sample",
                    [
                        "server_sessions": JSONValue(books.serverSessions),
                        "client_sockets": JSONValue(books.clientSockets),
                        "descriptors": JSONValue(DescriptorProbe.openDescriptors(of: target.poolPID)),
                        "rss_bytes": JSONValue(MemoryProbe.residentBytes(of: target.poolPID)),
                        "runnable": JSONValue(MachineProbe.runnableThreads()),
                    ])
                if let now = books.poolSessions { Self.compare(now, &sessions, closed, sink) }
            }
        }
        tasks = [gauges, samples]
        stalls = StallWatch(onStall: { lateness in
            sink.record(.info, .probe, "stall", ["late_ns": JSONValue(lateness.nanoseconds)])
        })
    }

    /// - Parameter connecting: the pool tells of that, too.
    static func members(of gauges: PoolGauges, connecting: Bool) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = [
            .init("open", JSONValue(gauges.open)), .init("idle", JSONValue(gauges.idle)),
            .init("in_use", JSONValue(gauges.inUse)),
        ]
        if connecting { members.append(.init("connecting", JSONValue(gauges.connecting))) }
        return members + [.init("waiting", JSONValue(gauges.waiting))]
    }

    /// Ends the sampling and waits until no sample is under way.
    func stop() async {
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        stalls.stop()
    }

    private static func compare(
        _ now: [PoolSession], _ watch: inout SessionWatch, _ closed: ClosedConnections, _ sink: any EventSink
    ) {
        let ended = watch.ended(now)
        if !ended.isEmpty {
            sink.record(.info, .probe, "session-ended", ["pids": .array(ended.map { JSONValue($0) })])
        }
        let orphans = watch.orphans(now) { pid in closed.leftAt(pid).map { $0.duration(to: .now) } }
        for orphan in orphans {
            sink.record(
                .info, .probe, "orphan",
                [
                    "pid": JSONValue(orphan.pid), "running_ns": JSONValue(orphan.running.nanoseconds),
                    "query": .string(orphan.query),
                ])
        }
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
