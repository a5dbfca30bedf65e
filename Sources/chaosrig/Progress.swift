import Orchestrator
import Reporting
import RigModel
import Threading

/// For logs: a line for each phase and each fault, and how it goes every five seconds.
final class PlainProgress: ProgressDisplay {
    private static let interval = Duration.seconds(5)
    /// The terminal that shows them; `nil`: a log, and logs are wide.
    private let terminal: Int32?
    private let lastShownAt = Lock(MonotonicInstant.now)
    private let lastFaults = Lock<[String]>([])

    init(terminal: Int32? = nil) { self.terminal = terminal }

    /// Asked each time: people resize their terminals.
    private var width: Int { terminal.map { Terminal(descriptor: $0).width - 1 } ?? 160 }

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
        if isDue { Output.error(ProgressLine.render(state.reported, width: width, color: false)) }
    }

    func end() {}
}

/// For terminals: one line that is written again and again, below the lines of the log.
final class TerminalProgress: ProgressDisplay {
    private let descriptor: Int32
    private let last = Lock(StatusLine())

    init(descriptor: Int32) { self.descriptor = descriptor }

    func say(_ line: String) {
        // The width is asked each time: people resize their terminals.
        let width = Terminal(descriptor: descriptor).width
        Output.status(last.withLock { $0.erased(width: width) + line + "\n" + $0.text })
    }

    func show(_ state: RunProgress) {
        let terminal = Terminal(descriptor: descriptor)
        let state = state.reported
        Output.status(
            last.withLock { last in
                let erased = last.erased(width: terminal.width)
                last.text = ProgressLine.render(state, width: terminal.width - 1, color: terminal.hasColor)
                last.columns = TerminalText.width(ProgressLine.render(state, width: terminal.width - 1, color: false))
                return erased + last.text
            })
    }

    func end() {
        let width = Terminal(descriptor: descriptor).width
        Output.status(
            last.withLock { last in
                defer { last = StatusLine() }
                return last.erased(width: width)
            })
    }
}

/// The line that was written last. Pure.
struct StatusLine: Sendable {
    var text = ""
    var columns = 0

    /// Takes the line away, also where a terminal that has become narrower has broken it into several.
    func erased(width: Int) -> String {
        let rows = max(0, columns - 1) / max(1, width)
        return (rows > 0 ? "\u{1B}[\(rows)A" : "") + "\r\u{1B}[J"
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
            open: open, idle: idle, inUse: inUse, waiting: waiting, hasGauges: hasGauges, activeFaults: activeFaults,
            findings: findings)
    }
}
