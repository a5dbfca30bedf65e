import Threading

/// An adapter, the process that holds the pool, that does not do what protocol 1 says.
package enum AdapterError: Error, Sendable, Equatable, CustomStringConvertible {
    case notStarted(command: String, problem: String)
    /// It ran, and never said hello.
    case noHello(command: String, waited: Duration, log: String)
    /// It ended, or was ended because of what it wrote.
    case ended(command: String, reason: String, log: String)
    case wrongHello(command: String, problem: String)
    /// It runs, and one request was not answered.
    case silent(operation: String, waited: Duration)
    /// It answered a request with an error.
    case refused(operation: String, message: String)
    case notRunning(operation: String)

    package var description: String {
        switch self {
        case .notStarted(let command, let problem):
            "the pool's process (\(command)) could not be started: \(problem)"
        case .noHello(let command, let waited, let log):
            "the pool's process (\(command)) said no hello within \(Int(waited.milliseconds)) ms; expected one line like "
                + "{\"hello\":{\"protocol\":1,\"pool\":\"NAME\"}} on its standard output\(Self.words(log))"
        case .ended(let command, let reason, let log):
            "the pool's process (\(command)) is gone: \(reason)\(Self.words(log))"
        case .wrongHello(let command, let problem):
            "the pool's process (\(command)) said a hello that is none of protocol 1: \(problem)"
        case .silent(let operation, let waited):
            "the pool's process did not answer \"\(operation)\" within \(Int(waited.milliseconds)) ms"
        case .refused(let operation, let message): "the pool's process refused \"\(operation)\": \(message)"
        case .notRunning(let operation): "there is no process of the pool now that could do \"\(operation)\""
        }
    }

    private static func words(_ log: String) -> String { log.isEmpty ? "; its log is empty" : "; its log ends: \(log)" }
}
