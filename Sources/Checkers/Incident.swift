import RigModel

/// One operation that ended in a way that may be a violation, kept as evidence. Ordered worst first, then as in the history.
struct Incident: Comparable, Sendable {
    /// Greater is worse; 0 where each is as bad as the other.
    var weight: Int64
    /// The completion.
    var index: Int
    var time: Int64
    /// From when on faults and stalls may explain it.
    var since: Int64
    var function: String
    var process: Event.Process
    var connection: Int?
    var words: String

    init(_ event: Event, weight: Int64 = 0, since: Int64? = nil, words: String = "") {
        self.weight = weight
        index = event.index
        time = event.time
        self.since = max(0, since ?? event.time)
        function = event.function
        process = event.process
        connection = event.completion?.connection
        self.words = words
    }

    static func < (a: Incident, b: Incident) -> Bool {
        a.weight != b.weight ? a.weight > b.weight : a.index < b.index
    }
    static func == (a: Incident, b: Incident) -> Bool { a.weight == b.weight && a.index == b.index }

    /// `` `append` of worker 4 on connection 7 ``.
    var subject: String {
        "`\(function)` of \(process.words)" + (connection.map { " on connection \($0)" } ?? "")
    }

    /// - Parameter events: those that show it, beside the completion.
    func finding(
        _ title: String, expected: String, seen: String, events: [Int] = [], _ faults: FaultWindows
    ) -> Finding {
        Finding(
            title: title, expected: expected, seen: "\(subject): \(seen)", events: events + [index], time: since,
            activeFault: faults.words(from: since, to: time))
    }
}
