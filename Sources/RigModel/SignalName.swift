/// The names of the signals that end a run.
package enum SignalName {
    package static func of(_ signal: Int32) -> String {
        switch signal {
        case 1: "SIGHUP"
        case 2: "SIGINT"
        case 15: "SIGTERM"
        default: "SIGNAL \(signal)"
        }
    }
}
