import RigModel

/// What a run looks like at one moment.
package struct ProgressState: Sendable, Equatable {
    package var phase: String
    /// Until the phase ends; `nil` when nobody knows.
    package var secondsLeft: Double?
    package var okPerSecond: Double
    /// Of the last second; `nil` when nothing succeeded.
    package var p99Nanoseconds: Int64?
    package var open: Int
    package var idle: Int
    package var inUse: Int
    package var waiting: Int
    /// The pool tells its gauges; else the four above mean nothing.
    package var hasGauges: Bool
    /// For example `restart #0`.
    package var activeFaults: [String]
    package var findings: Int

    package init(
        phase: String, secondsLeft: Double? = nil, okPerSecond: Double = 0, p99Nanoseconds: Int64? = nil, open: Int = 0,
        idle: Int = 0, inUse: Int = 0, waiting: Int = 0, hasGauges: Bool = true, activeFaults: [String] = [],
        findings: Int = 0
    ) {
        self.phase = phase
        self.secondsLeft = secondsLeft
        self.okPerSecond = okPerSecond
        self.p99Nanoseconds = p99Nanoseconds
        self.open = open
        self.idle = idle
        self.inUse = inUse
        self.waiting = waiting
        self.hasGauges = hasGauges
        self.activeFaults = activeFaults
        self.findings = findings
    }
}

/// One line about a running run, for a terminal that is redrawn as well as for a plain log. Pure.
package enum ProgressLine {
    /// `faults 12 s left | 498 ok/s | p99 8.3 ms | open 10 idle 2 in use 8 waiting 3 | restart #0 | 1 finding`
    ///
    /// - Returns: one line without line feed of at most `width` columns. Where that is too narrow, all is said shorter:
    ///   `faults 12 s | 498/s | p99 8.3 ms | 8/10 used, 3 wait | restart #0 | 1 finding`. Then the least important parts are
    ///   left out: latency, then the pool, then the throughput; then the rest is cut.
    package static func render(_ state: ProgressState, width: Int, color: Bool) -> String {
        let palette = Palette(isOn: color)
        var parts = parts(of: state)
        func columns() -> Int {
            parts.reduce(0) { $0 + TerminalText.width($1.text) } + max(0, parts.count - 1) * separator.count
        }
        if columns() > width { for index in parts.indices { parts[index].text = parts[index].short } }
        while columns() > width, let least = parts.indices.min(by: { parts[$0].weight < parts[$1].weight }),
            parts[least].weight < Part.essential
        {
            parts.remove(at: least)
        }
        if columns() > width {
            return TerminalText.truncate(parts.map(\.text).joined(separator: separator), width: width)
        }
        return parts.map { part in part.meaning.map { palette.paint(part.text, $0) } ?? part.text }
            .joined(separator: palette.paint(separator, .faint))
    }

    private static let separator = " | "

    private struct Part {
        static let essential = 10

        var text: String
        /// The same for narrow terminals.
        var short: String
        /// The least is left out first.
        var weight: Int
        var meaning: Palette.Meaning?

        init(_ text: String, short: String? = nil, weight: Int, meaning: Palette.Meaning? = nil) {
            self.text = text
            self.short = short ?? text
            self.weight = weight
            self.meaning = meaning
        }
    }

    private static func parts(of state: ProgressState) -> [Part] {
        let seconds = max(0, state.secondsLeft ?? 0).rounded(.up)
        let left = seconds > 0 ? " \(TimeText.words(seconds: seconds))" : ""
        let phase = TerminalText.clean(state.phase) + left
        let rate = Int64(max(0, min(state.okPerSecond, 1e15)).rounded())
        var parts = [
            Part(left.isEmpty ? phase : phase + " left", short: phase, weight: 12, meaning: .strong),
            Part("\(rate) ok/s", short: "\(rate)/s", weight: 3),
        ]
        if let p99 = state.p99Nanoseconds { parts.append(Part("p99 \(TimeText.words(nanoseconds: p99))", weight: 1)) }
        if state.hasGauges {
            parts.append(
                Part(
                    "open \(state.open) idle \(state.idle) in use \(state.inUse) waiting \(state.waiting)",
                    short: "\(state.inUse)/\(state.open) used, \(state.waiting) wait", weight: 2))
        }
        if !state.activeFaults.isEmpty {
            let names = TerminalText.clean(state.activeFaults.joined(separator: ", "))
            parts.append(Part(names, weight: 10, meaning: .doubt))
        }
        if state.findings > 0 {
            let text = state.findings == 1 ? "1 finding" : "\(state.findings) findings"
            parts.append(Part(text, weight: 11, meaning: .bad))
        }
        return parts
    }
}
