/// Brings the invoke and the completion of each operation together. A mergeable fold over whole processes; memory grows
/// with the operations in flight.
public struct OperationPairing: Sendable {
    /// An operation that was begun.
    public struct Begun: Sendable, Equatable {
        public var process: Event.Process
        public var function: String
        public var value: JSONValue
        public var index: Int
        /// Nanoseconds since the run's start.
        public var time: Int64
    }

    /// An operation that ended.
    public struct Ended: Sendable, Equatable {
        public var begun: Begun
        /// The completion: `ok`, `fail` or `info`.
        public var event: Event

        /// From the scheduled start, where there was a schedule, to the completion.
        public var latencyNanoseconds: Int64 { event.time - begun.time + (event.completion?.lagNanoseconds ?? 0) }
    }

    private var open: [Event.Process: Begun] = [:]
    /// Operations whose process began another one without ending them first; a correct history has none.
    private var abandoned: [Begun] = []

    public init() {}

    /// - Returns: the operation that this event ends, or `nil`.
    public mutating func observe(_ event: Event) -> Ended? {
        guard case .worker = event.process else { return nil }
        switch event.kind {
        case .invoke:
            let begun = Begun(
                process: event.process, function: event.function, value: event.value, index: event.index,
                time: event.time)
            if let earlier = open.updateValue(begun, forKey: event.process) { abandoned.append(earlier) }
            return nil
        case .ok, .fail, .info:
            return open.removeValue(forKey: event.process).map { Ended(begun: $0, event: event) }
        case .end: return nil
        }
    }

    public mutating func merge(_ other: OperationPairing) {
        abandoned += other.abandoned
        for (process, begun) in other.open {
            if let mine = open[process] { abandoned.append(min(mine, begun) { $0.index < $1.index }) }
            open[process] = max(open[process] ?? begun, begun) { $0.index < $1.index }
        }
    }

    /// Operations that were begun and have no completion, in the order of the history.
    public var neverEnded: [Begun] { (Array(open.values) + abandoned).sorted { $0.index < $1.index } }
}

private func min<T>(_ a: T, _ b: T, by isLess: (T, T) -> Bool) -> T { isLess(b, a) ? b : a }
private func max<T>(_ a: T, _ b: T, by isLess: (T, T) -> Bool) -> T { isLess(a, b) ? b : a }
