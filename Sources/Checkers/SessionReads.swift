import RigModel

/// What each client read from its own counter (operation `register`), against what it had written or read before. A
/// mergeable fold; about 150 bytes for each worker number that used a counter.
///
/// A counter is written by one client only, with numbers that grow. The client goes on under a new worker number after an
/// operation of unknown outcome: so what it knows is kept for each number apart, and joined at the end.
struct SessionReads: Sendable {
    /// What a later read must not fall behind.
    enum Floor: Sendable { case acknowledgedWrites, earlierReads }

    struct Known: Sendable {
        var value: Int64
        var index: Int
    }

    private struct Session: Hashable, Sendable {
        var key: Int64
        var worker: Int
    }

    private struct Part: Sendable {
        var first = Int.max
        var last = 0
        var floor: Known?
        /// The read with the lowest value, to be held against the parts before this one.
        var lowest: (value: Int64, incident: Incident)?
    }

    private let rule: Floor
    private var parts: [Session: Part] = [:]
    /// Of operations in flight; `write` is `nil` for a read.
    private var begun: [Int: (write: Int64?, moment: FaultTimeline.Moment)] = [:]
    private var fallenBack = Smallest<Violation>(limit: 100)
    private(set) var reads = 0
    private(set) var writes = 0
    /// Reads that had something to fall behind.
    private(set) var comparedReads = 0

    struct Violation: Comparable, Sendable {
        var incident: Incident
        var key: Int64
        var seen: Int64
        var known: Known

        static func < (a: Violation, b: Violation) -> Bool { a.incident < b.incident }
        static func == (a: Violation, b: Violation) -> Bool { a.incident == b.incident }
    }

    /// Those that need no look at what other parts of the history saw.
    var violationsSoFar: Int { fallenBack.total }

    init(_ rule: Floor) { self.rule = rule }

    mutating func observe(_ event: Event) {
        guard case .worker(let worker) = event.process, event.function == "register" else { return }
        if event.kind == .invoke {
            let moment = FaultTimeline.Moment(index: event.index, time: event.time)
            begun[worker] = (event.value["write"]?.intValue, moment)
            return
        }
        guard let (write, moment) = begun.removeValue(forKey: worker), event.kind == .ok,
            let key = event.value["key"]?.intValue
        else { return }
        if let write {
            writes += 1
            note(Session(key: key, worker: worker), write: write, event.index, moment)
        } else if let value = event.value["value"]?.intValue {
            reads += 1
            note(Session(key: key, worker: worker), read: value, Incident(event, since: moment.time), moment)
        }
    }

    mutating func merge(_ other: SessionReads) {
        begun.merge(other.begun) { $1.moment > $0.moment ? $1 : $0 }
        parts.merge(other.parts) { $0.first <= $1.first ? $0 : $1 }
        fallenBack.merge(other.fallenBack)
        reads += other.reads
        writes += other.writes
        comparedReads += other.comparedReads
    }

    /// Reads that fell behind, at most one for each worker number that began behind an earlier one, and how many there were.
    var violations: (list: [Violation], total: Int) {
        var all = fallenBack
        let known = Set(fallenBack.elements.map(\.incident.index))
        for violation in acrossWorkers where !known.contains(violation.incident.index) { all.add(violation) }
        return (all.elements, all.total)
    }

    /// Whether any read could be compared with something that came before it.
    var sawEnough: Bool { comparedReads > 0 || hasSuccessor }

    private mutating func note(
        _ session: Session, write: Int64, _ index: Int, _ moment: FaultTimeline.Moment
    ) {
        var part = parts[session] ?? Part()
        part.first = min(part.first, moment.index)
        part.last = index
        if rule == .acknowledgedWrites, write > part.floor?.value ?? .min {
            part.floor = Known(value: write, index: index)
        }
        parts[session] = part
    }

    private mutating func note(
        _ session: Session, read: Int64, _ incident: Incident, _ moment: FaultTimeline.Moment
    ) {
        var part = parts[session] ?? Part()
        part.first = min(part.first, moment.index)
        part.last = incident.index
        if let known = part.floor {
            comparedReads += 1
            if read < known.value {
                fallenBack.add(Violation(incident: incident, key: session.key, seen: read, known: known))
            }
        }
        if read < part.lowest?.value ?? .max { part.lowest = (read, incident) }
        if rule == .earlierReads, read > part.floor?.value ?? .min {
            part.floor = Known(value: read, index: incident.index)
        }
        parts[session] = part
    }

    // MARK: One client under several numbers

    private var byKey: [Int64: [Part]] {
        Dictionary(grouping: parts, by: { $0.key.key }).mapValues { $0.map(\.value).sorted { $0.first < $1.first } }
    }

    private var hasSuccessor: Bool {
        byKey.values.contains { parts in
            guard let begin = parts.firstIndex(where: { $0.floor != nil }) else { return false }
            return parts[(begin + 1)...].contains { $0.lowest != nil }
        }
    }

    /// The lowest read of each part against the highest floor of the parts that had ended before it began.
    private var acrossWorkers: [Violation] {
        byKey.flatMap { key, parts -> [Violation] in
            var known: Known?
            var waiting: [Part] = []
            var found: [Violation] = []
            for part in parts {
                for ended in waiting where ended.last < part.first {
                    if let floor = ended.floor, floor.value > known?.value ?? .min { known = floor }
                }
                waiting.removeAll { $0.last < part.first }
                waiting.append(part)
                guard let known, let (value, incident) = part.lowest, value < known.value else { continue }
                found.append(Violation(incident: incident, key: key, seen: value, known: known))
            }
            return found
        }
    }
}
