import RigModel
import Threading

/// Passes on what the pool tells of itself, and remembers which server processes it has just left: a statement that still runs
/// on one of them is an orphan. Thread-safe.
final class ClosedConnections: EventSink {
    /// Process numbers come again.
    private static let memory = Duration.seconds(60)
    private static let limit = 10_000

    private let sink: any EventSink
    private let closed = Lock<[Int: MonotonicInstant]>([:])

    init(_ sink: any EventSink) { self.sink = sink }

    func record(
        _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue, _ completion: Completion?
    ) -> Int64 {
        if process == .pool, let pid = value["pid"]?.intValue.map({ Int($0) }) {
            let now = MonotonicInstant.now
            if function == "connection-opened" {
                _ = closed.withLock { $0.removeValue(forKey: pid) }
            } else if function == "connection-closed" {
                closed.withLock { closed in
                    if closed.count >= Self.limit {
                        closed = closed.filter { $0.value.duration(to: now) < Self.memory }
                    }
                    closed[pid] = now
                }
            }
        }
        return sink.record(kind, process, function, value, completion)
    }

    /// When the pool left this server process; `nil`: it has not, as far as it is known, or long ago.
    func leftAt(_ pid: Int) -> MonotonicInstant? {
        closed.withLock { $0[pid] }.flatMap { $0.duration(to: .now) < Self.memory ? $0 : nil }
    }
}
