import RigModel

/// What makes a list of events a history (docs/history.md): numbers without a gap, time that never runs backwards, completions
/// that end what their process began, what is told once told once, injections and connections that begin before they end, and an
/// end that counts and sums up what is before it. Pure; memory grows with the operations in flight and the injections.
struct HistoryRules {
    private var next = 0
    private var time: Int64 = 0
    private var open: [Int: (function: String, value: JSONValue)] = [:]
    /// Workers that ended with `info`: others went on in their place.
    private var retired = RangeSet<Int>()
    private var once = OnceRules()
    private var injections = InjectionRules()
    /// Of our own pool only; whose it is says the first event.
    private var connections: ConnectionRules?
    private(set) var hasEnded = false

    /// What was read beside the last event, where it is the end of the file, too.
    struct End {
        /// Of all lines before it.
        var digest: String
        /// Its bytes, without the line feed.
        var line: [UInt8]
    }

    /// - Parameter end: asked for at the end only.
    /// - Returns: what is wrong with the event at this place; `nil` when nothing is.
    mutating func problem(with event: Event, end: () -> End?) -> String? {
        if hasEnded { return "an event stands behind the end" }
        guard event.index == next else {
            return "event \(event.index) where event \(next) was expected: one is missing, doubled or moved"
        }
        guard event.time >= time else {
            return "time runs backwards: \(event.time) ns after \(time) ns"
        }
        if event.kind == .end { return self.end(event, end) }
        (next, time) = (next + 1, event.time)
        if case .worker(let worker) = event.process {
            return operation(event, worker) ?? connections?.problem(with: event)
        }
        guard event.kind == .info else {
            return "\(event.kind.rawValue) by \(event.process): only workers do operations"
        }
        if event.index == 0, event.isConfigurationOfOwnPool { connections = ConnectionRules() }
        return once.problem(with: event, isOwnPool: connections != nil) ?? injections.problem(with: event)
            ?? connections?.problem(with: event)
    }

    private mutating func operation(_ event: Event, _ worker: Int) -> String? {
        if event.kind == .invoke {
            if retired.contains(worker) {
                return "worker \(worker) begins an operation after its last one ended with info"
            }
            if let earlier = open.updateValue((event.function, event.value), forKey: worker) {
                return "worker \(worker) begins `\(event.function)` while its `\(earlier.function)` has not ended"
            }
            return nil
        }
        guard let begun = open.removeValue(forKey: worker) else {
            return "worker \(worker) ends `\(event.function)`, which it never began"
        }
        guard begun.function == event.function else {
            return "worker \(worker) ends `\(event.function)`, but it had begun `\(begun.function)`"
        }
        if event.kind == .info { retired.insert(contentsOf: worker..<worker + 1) }
        guard event.kind == .ok else { return nil }
        return AnswerRules.problem(event.function, began: begun.value, ended: event.value)
    }

    private mutating func end(_ event: Event, _ end: () -> End?) -> String? {
        hasEnded = true
        guard event.value["events"]?.intValue == Int64(event.index) else {
            return
                "the end counts \(event.value["events"]?.compactText ?? "nothing"), but \(event.index) events are before it"
        }
        guard let end = end() else { return "something stands behind the end" }
        guard event.value["digest"]?.stringValue == "sha256:\(end.digest)" else {
            return "the digest of the lines before the end is another one: something in them was changed"
        }
        // No digest is over the end itself, but all that is in it is known.
        guard end.line == Array(Self.end(events: next, time: time, digest: end.digest).line.utf8) else {
            return "the end is not as a run writes it: something in this line was changed"
        }
        return nil
    }

    /// The last event of a history.
    ///
    /// - Parameters:
    ///   - time: of the event before it.
    ///   - digest: of all lines before it, in hexadecimal.
    static func end(events: Int, time: Int64, digest: String) -> Event {
        Event(
            index: events, time: time, kind: .end, process: .probe, function: "end",
            value: ["events": JSONValue(events), "digest": .string("sha256:\(digest)")])
    }
}
