import RigModel
import Threading

/// Where a pool that outlives a history tells what happens to it: in the history that is written now. Between two histories it
/// keeps what it is told. Thread-safe.
///
/// Each history begins with what is open: who reads only that one must know whose connections these are.
final class HistorySwitch: EventSink {
    private struct Told: Sendable {
        let kind: Event.Kind
        let process: Event.Process
        let function: String
        let value: JSONValue
        let completion: Completion?
    }

    private struct Open: Sendable {
        let pid: JSONValue
        let since: MonotonicInstant
    }

    private struct State {
        var history: (any EventSink)?
        /// Connections that are open, by their numbers.
        var open: [Int64: Open] = [:]
        /// Since the last history ended.
        var kept: [Told] = []
        /// What was open when it ended.
        var inherited: [Int64: Open] = [:]
    }

    private let state = Lock(State())

    /// From now on everything goes there. What is open is told first, then what was kept.
    func begin(_ history: any EventSink) {
        state.withLock { state in
            let now = MonotonicInstant.now
            for (connection, open) in state.inherited.sorted(by: { $0.key < $1.key }) {
                history.record(
                    .info, .pool, "connection-opened",
                    [
                        "conn": .int(connection), "pid": open.pid, "took_ns": 0,
                        "age_ns": JSONValue(open.since.duration(to: now).nanoseconds),
                    ])
            }
            for told in state.kept {
                history.record(told.kind, told.process, told.function, told.value, told.completion)
            }
            state.kept = []
            state.inherited = [:]
            state.history = history
        }
    }

    /// Nothing more goes to the history that is written now.
    func end() {
        state.withLock { state in
            state.history = nil
            state.inherited = state.open
        }
    }

    @discardableResult
    func record(
        _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue, _ completion: Completion?
    ) -> Int64 {
        state.withLock { state in
            if process == .pool, let connection = value["conn"]?.intValue {
                // One that was only seen in use: nobody will tell of its end.
                if function == "connection-opened", value["first_seen"]?.boolValue != true {
                    state.open[connection] = Open(pid: value["pid"] ?? .null, since: .now)
                }
                if function == "connection-closed" { state.open[connection] = nil }
            }
            guard let history = state.history else {
                state.kept.append(
                    Told(kind: kind, process: process, function: function, value: value, completion: completion))
                return 0
            }
            return history.record(kind, process, function, value, completion)
        }
    }
}
