/// The run at one moment, for one line.
package struct ProgressState: Sendable, Equatable {
    package var phase: String
    /// Seconds.
    package var left: Double
    package var okPerSecond: Double
    package var p99Milliseconds: Double?
    package var open: Int
    package var idle: Int
    package var inUse: Int
    package var waiting: Int
    package var activeFaults: [String]

    package init(
        phase: String, left: Double, okPerSecond: Double, p99Milliseconds: Double?, open: Int, idle: Int, inUse: Int,
        waiting: Int, activeFaults: [String]
    ) {
        self.phase = phase
        self.left = left
        self.okPerSecond = okPerSecond
        self.p99Milliseconds = p99Milliseconds
        self.open = open
        self.idle = idle
        self.inUse = inUse
        self.waiting = waiting
        self.activeFaults = activeFaults
    }
}

/// Puts the state of a run on one line. Pure.
package enum ProgressLine {
    /// - Parameter width: the line is never longer; what matters least is at its end.
    package static func render(_ state: ProgressState, width: Int, color: Bool) -> String {
        let faults = state.activeFaults.joined(separator: ", ")
        let p99 = state.p99Milliseconds.map { "\(Int($0.rounded())) ms" } ?? "-"
        let parts = [
            "\(state.phase)\(state.left > 0 ? " \(Int(state.left.rounded(.up))) s left" : "")",
            faults.isEmpty ? nil : "[\(faults)]", "\(Int(state.okPerSecond.rounded())) ok/s", "p99 \(p99)",
            "open \(state.open) idle \(state.idle) in use \(state.inUse) waiting \(state.waiting)",
        ]
        let line = parts.compactMap { $0 }.joined(separator: "  ")
        let shown = line.count > width ? line.prefix(max(0, width - 1)) + "…" : line
        return faults.isEmpty ? shown : Paint(isOn: color).yellow(shown)
    }
}
