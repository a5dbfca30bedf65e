import ConnectionPool
import FaultInjection
import RigModel
import Threading
import Workloads

/// Shows the run while it goes, four times a second, and says when a phase begins.
final class ProgressWatcher: Sendable {
    private static let interval = Duration.milliseconds(250)

    private struct Phase: Sendable {
        var name = ""
        var endsAt: MonotonicInstant?
    }

    private let phase = Lock(Phase())
    private let task = Lock<Task<Void, Never>?>(nil)
    private let display: any ProgressDisplay
    private let workload: WorkloadRunner
    private let pool: any PoolUnderTest
    private let nemesis: NemesisRunner
    private let early: EarlyFindings
    private let runtime: LoopRuntime

    /// Starts at once. End it with ``stop()``.
    init(
        display: any ProgressDisplay, workload: WorkloadRunner, pool: any PoolUnderTest, nemesis: NemesisRunner,
        early: EarlyFindings, runtime: LoopRuntime
    ) {
        self.display = display
        self.workload = workload
        self.pool = pool
        self.nemesis = nemesis
        self.early = early
        self.runtime = runtime
        let watching = runtime.run(near: -1) { await self.watch() }
        task.withLock { $0 = watching }
    }

    /// - Parameter end: how long the phase is, and when it is over; `nil` where nobody knows.
    func begin(_ name: RunPhase, until end: (length: Duration, at: MonotonicInstant)?) {
        phase.withLock { $0 = Phase(name: name.rawValue, endsAt: end?.at) }
        display.say(Self.line(name, length: end?.length))
    }

    /// What is said when a phase begins, with its length as the scenario gives it: `phase warm-up for 100 ms`.
    static func line(_ name: RunPhase, length: Duration?) -> String {
        guard let length else { return "phase \(name.rawValue)" }
        let words = length == .zero ? "0 s" : TimeText.words(nanoseconds: length.nanoseconds)
        return "phase \(name.rawValue) for \(words)"
    }

    func stop() async {
        let watching = task.withLock { $0.take() }
        watching?.cancel()
        await watching?.value
    }

    private func watch() async {
        var lastAt = runtime.now
        while (try? await runtime.sleep(until: lastAt.advanced(by: Self.interval))) != nil {
            let now = runtime.now
            display.show(progress(over: lastAt.duration(to: now), now: now))
            lastAt = now
        }
    }

    private func progress(over time: Duration, now: MonotonicInstant) -> RunProgress {
        let window = workload.takeWindow()
        let gauges = pool.gauges
        var progress = RunProgress()
        phase.withLock { phase in
            progress.phase = phase.name
            progress.left = phase.endsAt.map { max(.zero, now.duration(to: $0)) }
        }
        progress.okPerSecond = Double(window.ok) / max(time.seconds, 1e-3)
        progress.p99 = window.latency.nanoseconds(atQuantile: 0.99).map { .nanoseconds($0) }
        progress.open = gauges.open
        progress.idle = gauges.idle
        progress.inUse = gauges.inUse
        progress.waiting = gauges.waiting
        progress.hasGauges = pool.tellsGauges
        progress.activeFaults = nemesis.activeFaults()
        progress.findings = early.count
        return progress
    }
}
