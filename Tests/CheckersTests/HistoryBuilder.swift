import Checkers
import RigModel

/// Writes a history by hand. Times in milliseconds since the run's start; indices are given at the end, in the order of
/// time (events of the same time keep the order in which they were written).
struct HistoryBuilder {
    private var events: [Event] = []

    static func history(_ body: (inout HistoryBuilder) -> Void) -> [Event] {
        var builder = HistoryBuilder()
        body(&builder)
        return builder.build()
    }

    func build() -> [Event] {
        let sorted = events.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
        return sorted.enumerated().map { position, item in
            var event = item.element
            event.index = position
            return event
        }
    }

    mutating func add(
        _ time: Double, _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue = .null,
        _ completion: Completion? = nil
    ) {
        events.append(
            Event(
                index: 0, time: Int64((time * 1e6).rounded()), kind: kind, process: process, function: function,
                value: value, completion: completion))
    }

    /// An operation from its invoke to its completion; without one when `end` is `nil`.
    mutating func operation(
        _ function: String, by worker: Int, from begin: Double, to end: Double?, _ kind: Event.Kind = .ok,
        value: JSONValue = .null, completion: Completion = Completion()
    ) {
        add(begin, .invoke, .worker(worker), function, value)
        if let end { add(end, kind, .worker(worker), function, value, completion) }
    }

    mutating func phase(_ name: String, at time: Double) {
        nemesis(.phase(name), at: time)
    }

    mutating func nemesis(_ fact: NemesisFact, at time: Double) {
        add(time, .info, .nemesis, fact.function, fact.value)
    }

    /// A fault with its proof; without a heal when `heal` is `nil`.
    mutating func fault(
        _ number: Int, _ kind: String = "restart", _ detail: String = "restart immediate, down for 2 s",
        inject: Double, heal: Double?, landed: Bool = true, forced: Bool = false, evidence: JSONValue = "57P03"
    ) {
        nemesis(.inject(fault: number, kind: kind, detail: detail), at: inject)
        nemesis(.landed(fault: number, kind: kind, landed: landed, evidence: evidence), at: inject + 0.5)
        if let heal {
            nemesis(.heal(fault: number, kind: kind, ok: true, forced: forced, facts: .null), at: heal)
        }
    }

    /// The phases of a run whose faults begin at 4 s and whose load ends at 30 s.
    mutating func phases() {
        for (name, at) in [("warm-up", 0.0), ("steady", 1), ("faults", 4), ("settle", 20), ("drain", 30), ("end", 32)] {
            phase(name, at: s(at))
        }
    }

    mutating func pool(_ function: String, _ value: JSONValue, at time: Double) {
        add(time, .info, .pool, function, value)
    }

    mutating func probe(_ function: String, _ value: JSONValue, at time: Double) {
        add(time, .info, .probe, function, value)
    }
}

/// Seconds in milliseconds, for the builder.
func s(_ seconds: Double) -> Double { seconds * 1000 }

/// What the checker says about the whole history, in one fold.
func judge<C: Checker>(_ type: C.Type, _ events: [Event], _ parameters: Parameters = Parameters()) -> InvariantResult {
    var checker = C(parameters)
    for event in events { checker.observe(event) }
    return checker.finish()
}
