package import EventLoop
package import Threading

/// Time and threads of the real world: timers and background work on an event loop.
package struct LoopRuntime: PoolRuntime {
    private let loop: EventLoop

    package init(loop: EventLoop) { self.loop = loop }

    package var now: MonotonicInstant { .now }

    package func makeAlarm(_ fire: @escaping @Sendable () -> Void) -> any PoolAlarm {
        Alarm(alarm: loop.makeAlarm(fire))
    }

    package func run(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        Task(executorPreference: loop) { await work() }
    }

    package func sleep(until instant: MonotonicInstant) async throws { try await loop.sleep(until: instant) }

    private struct Alarm: PoolAlarm {
        let alarm: LoopAlarm

        func set(_ instant: MonotonicInstant?) {
            if let instant { alarm.set(at: instant) } else { alarm.clear() }
        }

        func cancel() { alarm.cancel() }
    }
}
