import FaultInjection
import RigModel
import Threading

/// Counts the SQLSTATEs with which attempts of operations ended, on their way into the history. Thread-safe.
final class WorkloadErrorCounter: EventSink, WorkloadErrors {
    private let sink: any EventSink
    private let counts = Lock<[String: Int]>([:])

    init(_ sink: any EventSink) { self.sink = sink }

    func record(
        _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue, _ completion: Completion?
    ) -> Int64 {
        let time = sink.record(kind, process, function, value, completion)
        guard let completion else { return time }
        // An operation whose first attempt succeeded has none.
        let codes = completion.attempts.compactMap { $0.error?.code }
        guard !codes.isEmpty else { return time }
        counts.withLock { counts in for code in codes { counts[code, default: 0] += 1 } }
        return time
    }

    func errors(_ sqlState: String) -> Int { counts.withLock { $0[sqlState] ?? 0 } }
}
