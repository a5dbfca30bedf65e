/// Where workload, nemesis, pool and probes tell what happened. Thread-safe; never blocks on I/O.
public protocol EventSink: Sendable {
    /// Puts the event at the end of the history and gives it its index and time.
    ///
    /// - Returns: the event's time, in nanoseconds since the run's start.
    @discardableResult
    func record(
        _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue, _ completion: Completion?
    ) -> Int64
}

extension EventSink {
    /// A fact from the rig, or a completion without details.
    @discardableResult
    public func record(
        _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue = .null
    ) -> Int64 {
        record(kind, process, function, value, nil)
    }
}
