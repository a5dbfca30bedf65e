public import EventLoop
public import Threading

/// Time and threads of the real world: timers and background work on event loops.
public struct LoopRuntime: PoolRuntime {
    private let loops: EventLoopGroup

    public init(loops: EventLoopGroup) { self.loops = loops }

    public init(loop: EventLoop) { self.init(loops: EventLoopGroup(loops: [loop])) }

    public var now: MonotonicInstant { .now }

    public func makeAlarm(_ fire: @escaping @Sendable () -> Void) -> any PoolAlarm {
        Alarm(alarm: loops.loops[0].makeAlarm(fire))
    }

    public func run(near affinity: Int32, _ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        let loop = loops.loops.first { $0.number == affinity } ?? loops.next()
        return Task(executorPreference: loop) { await work() }
    }

    /// - Throws: `LoopError.cancelled`; `LoopError.stopped` when the loop was shut down.
    public func sleep(until instant: MonotonicInstant) async throws {
        try await loops.nearest().sleep(until: instant)
    }

    private struct Alarm: PoolAlarm {
        let alarm: LoopAlarm

        func set(_ instant: MonotonicInstant?) {
            if let instant { alarm.set(at: instant) } else { alarm.clear() }
        }

        func cancel() { alarm.cancel() }
    }
}
