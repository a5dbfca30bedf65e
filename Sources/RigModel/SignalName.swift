/// The names of the signals that end a run, and what a report says then.
package enum SignalName {
    package static func of(_ signal: Int32) -> String {
        switch signal {
        case 1: "SIGHUP"
        case 2: "SIGINT"
        case 15: "SIGTERM"
        default: "SIGNAL \(signal)"
        }
    }

    private static let interruption = "interrupted by "

    package static func interruptionNote(_ signal: Int32) -> String { interruption + of(signal) }

    /// Whether a note of a report says that it was interrupted.
    package static func isInterruption(_ note: String) -> Bool { note.hasPrefix(interruption + "SIG") }
}
