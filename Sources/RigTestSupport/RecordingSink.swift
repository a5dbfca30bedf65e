package import RigModel
import Threading

/// Keeps every event in memory. Times come from the manual runtime, so they stand still unless the test moves them.
package final class RecordingSink: EventSink {
    private let recorded = Watched<[Event]>([])
    private let runtime: ManualRuntime
    private let start: MonotonicInstant

    package init(runtime: ManualRuntime) {
        self.runtime = runtime
        start = runtime.now
    }

    package var events: [Event] { recorded.value }

    /// How many there are, without a copy of them.
    package var count: Int { recorded.change { $0.count } }

    package func events(of process: Event.Process) -> [Event] { events.filter { $0.process == process } }

    @discardableResult
    package func record(
        _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue, _ completion: Completion?
    ) -> Int64 {
        let time = start.duration(to: runtime.now).nanoseconds
        recorded.change { events in
            events.append(
                Event(
                    index: events.count, time: time, kind: kind, process: process, function: function, value: value,
                    completion: completion))
        }
        return time
    }

    /// Returns as soon as the condition holds for what has been recorded.
    package func wait(until isMet: @escaping @Sendable ([Event]) -> Bool) async throws {
        try await recorded.wait(until: isMet)
    }
}
