import Orchestrator
import Reporting
import RigModel
import Threading

/// For logs: a line for each phase and each fault, and how it goes every five seconds.
final class PlainProgress: ProgressDisplay {
    private static let interval = Duration.seconds(5)
    private let lastShownAt = Lock(MonotonicInstant.now)
    private let lastFaults = Lock<[String]>([])

    func say(_ line: String) { Output.error(line) }

    func show(_ state: RunProgress) {
        let now = MonotonicInstant.now
        let faultsChanged = lastFaults.withLock { last in
            defer { last = state.activeFaults }
            return last != state.activeFaults
        }
        let isDue = lastShownAt.withLock { last in
            guard faultsChanged || last.duration(to: now) >= Self.interval else { return false }
            last = now
            return true
        }
        if isDue { Output.error(ProgressLine.render(state.reported, width: 160, color: false)) }
    }

    func end() {}
}

/// For terminals: one line that is written again and again, below the lines of the log.
final class TerminalProgress: ProgressDisplay {
    private let terminal: Terminal
    private let lastLine = Lock("")

    init(_ terminal: Terminal) { self.terminal = terminal }

    func say(_ line: String) {
        let status = lastLine.withLock { $0 }
        Output.status("\r\u{1B}[K\(line)\n\(status)")
    }

    func show(_ state: RunProgress) {
        let line = ProgressLine.render(state.reported, width: terminal.width - 1, color: terminal.hasColor)
        lastLine.withLock { $0 = line }
        Output.status("\r\u{1B}[K\(line)")
    }

    func end() {
        lastLine.withLock { $0 = "" }
        Output.status("\r\u{1B}[K")
    }
}

/// For `--quiet` and `--json`.
struct SilentProgress: ProgressDisplay {
    func say(_ line: String) {}
    func show(_ state: RunProgress) {}
    func end() {}
}

extension RunProgress {
    /// The same for the renderer.
    var reported: ProgressState {
        ProgressState(
            phase: phase, secondsLeft: left?.seconds, okPerSecond: okPerSecond, p99Nanoseconds: p99?.nanoseconds,
            open: open, idle: idle, inUse: inUse, waiting: waiting, activeFaults: activeFaults, findings: findings)
    }
}
