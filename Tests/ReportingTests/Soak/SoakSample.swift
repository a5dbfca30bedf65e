import RigModel

@testable import Reporting

/// Windows of a soak, made by hand.
enum SoakSample {
    static func window(
        _ number: Int, segment: Int = 1, verdict: Verdict = .valid,
        invariants: [(String, Verdict)] = [("leaks", .valid)],
        faults: [(String, Bool)] = [("restart", true)], megabytes: Double = 60, p99: Double = 20,
        change: (inout SoakWindow) -> Void = { _ in }
    ) -> SoakWindow {
        var window = SoakWindow(
            number: number, segment: segment, seed: UInt64(number) << 40, startedAt: "2026-11-21T22:00:00Z",
            seconds: 60,
            verdict: verdict)
        window.invariants = invariants.map { SoakWindow.Judged(name: $0.0, verdict: $0.1) }
        window.faults = faults.map { SoakWindow.Injected(kind: $0.0, landed: $0.1) }
        window.numbers.ok = 1000
        window.numbers.p99Milliseconds = p99
        window.numbers.residentBytes = megabytes * 1_048_576
        window.numbers.descriptors = 40
        window.numbers.serverSessions = 12
        change(&window)
        return window
    }

    static func log(_ windows: [SoakWindow]) -> SoakLog {
        var log = SoakLog(
            scenario: "night", scenarioSummary: "All of it.", seed: 7, startedAt: "2026-11-21T22:00:00Z",
            plannedSeconds: 3600, replay: "chaosrig soak night.yaml --for 1h --seed 7")
        log.windows = windows
        log.elapsedSeconds = Double(windows.count) * 60
        log.target = "managed PostgreSQL"
        log.environment = [.init("cores", 4)]
        return log
    }
}
