import RigModel
import ScenarioFile
import Threading

/// Counts on the way into the history what one event alone shows to be wrong, so that a run says so while it goes: leases that
/// are suspected to be leaked, leases that are, acquires beyond their deadline. Cheap; the invariants are judged at the end, by
/// all events. Thread-safe.
final class EarlyFindings: EventSink {
    private struct State: Sendable {
        /// Connections whose lease is out for too long.
        var suspected: Set<Int64> = []
        var certain = 0
    }

    /// What acquires may take beyond their limit on a busy machine.
    private static let tolerance = Duration.seconds(1)

    private let sink: any EventSink
    private let longestAcquire: Int64
    private let state = Lock(State())

    init(_ sink: any EventSink, _ scenario: Scenario) {
        self.sink = sink
        longestAcquire = (scenario.pool.acquireTimeout + Self.tolerance).nanoseconds
    }

    var count: Int { state.withLock { $0.suspected.count + $0.certain } }

    func record(
        _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue, _ completion: Completion?
    ) -> Int64 {
        if let completion {
            if let took = completion.acquireNanoseconds, took > longestAcquire { state.withLock { $0.certain += 1 } }
        } else if process == .pool, let connection = value["conn"]?.intValue {
            observe(function, connection)
        }
        return sink.record(kind, process, function, value, completion)
    }

    private func observe(_ function: String, _ connection: Int64) {
        switch function {
        case "leak-suspected": state.withLock { _ = $0.suspected.insert(connection) }
        case "leak-cleared": state.withLock { _ = $0.suspected.remove(connection) }
        case "leaked":
            state.withLock { state in
                state.suspected.remove(connection)
                state.certain += 1
            }
        default: break
        }
    }
}
