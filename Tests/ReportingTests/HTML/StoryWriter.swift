import RigModel

/// Writes events of a history for tests, in order of their times.
struct StoryWriter {
    private(set) var events: [Event] = []

    mutating func say(
        _ seconds: Double, _ process: Event.Process, _ function: String, _ value: JSONValue = .null,
        kind: Event.Kind = .info, _ completion: Completion? = nil
    ) {
        events.append(
            Event(
                index: events.count, time: Int64((seconds * 1e9).rounded()), kind: kind, process: process,
                function: function, value: value, completion: completion))
    }

    mutating func say(_ seconds: Double, _ fact: NemesisFact) { say(seconds, .nemesis, fact.function, fact.value) }

    /// Invoke and completion of one operation that held a connection almost as long as it took.
    mutating func operation(
        _ kind: Event.Kind = .ok, _ function: String = "append", worker: Int = 0, from begin: Double, to end: Double,
        connection: Int? = 1, returned: Bool = true, error: FailureDescription? = nil
    ) {
        say(begin, .worker(worker), function, kind: .invoke)
        say(
            end, .worker(worker), function, kind: kind,
            Completion(
                connection: connection, acquireNanoseconds: 1_000_000, error: error,
                leasedAt: connection == nil ? nil : Int64(begin * 1e9) + 1_000_000,
                returnedAt: connection != nil && returned ? Int64(end * 1e9) : nil))
    }

    /// A fault from its injection to its heal.
    mutating func fault(_ number: Int, _ kind: String = "restart", from begin: Double, to end: Double) {
        say(begin, .inject(fault: number, kind: kind, detail: "immediate"))
        say(end, .landed(fault: number, kind: kind, landed: true, evidence: "57P03"))
        say(end, .heal(fault: number, kind: kind, ok: true, forced: false, facts: .null))
    }
}
