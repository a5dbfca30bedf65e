import RigModel

/// The rows that the append table held at the end. A mergeable fold over `probe/final-appends`; 8 bytes for each row.
struct FinalRows: Sendable {
    private struct Part: Sendable {
        var index: Int
        var time: Int64
        var ids: [Int64]
    }

    /// By number; a part that is told twice counts once.
    private var parts: [Int64: Part] = [:]
    /// How many parts there are, as each part says; more than one number only in a broken history.
    private var announced: Set<Int64> = []

    mutating func observe(_ event: Event) {
        guard event.process == .probe, event.function == "final-appends", let part = event.value["part"]?.intValue,
            let announcedParts = event.value["parts"]?.intValue
        else { return }
        announced.insert(announcedParts)
        let ids = (event.value["ids"]?.arrayValue ?? []).compactMap(\.intValue)
        keep(Part(index: event.index, time: event.time, ids: ids), part)
    }

    mutating func merge(_ other: FinalRows) {
        announced.formUnion(other.announced)
        for (number, part) in other.parts { keep(part, number) }
    }

    /// Why the rows cannot be judged as a whole; `nil` when every part is there.
    var problem: String? {
        guard let expected = announced.max() else { return "the append table was never read at the end" }
        if announced.count > 1 { return "the parts of the append table contradict each other" }
        return parts.count < expected ? "only \(parts.count) of \(expected) parts of the append table are there" : nil
    }

    /// When the first part was read.
    var readAt: Int64? { parts.values.map(\.time).min() }

    var count: Int { parts.values.reduce(0) { $0 + $1.ids.count } }

    /// Each operation that has rows, in order, with the attempts that wrote them and the events that told of them.
    /// O(rows · log rows).
    func forEachOperation(_ body: (_ id: OperationID, _ attempts: [Int], _ events: [Int]) -> Void) {
        var rows: [(id: Int64, event: Int)] = []
        rows.reserveCapacity(count)
        for part in parts.values { rows += part.ids.map { ($0, part.index) } }
        rows.sort { ($0.id, $0.event) < ($1.id, $1.event) }
        var begin = 0
        while begin < rows.count {
            let id = OperationID(rawValue: rows[begin].id).operation
            var end = begin + 1
            while end < rows.count, OperationID(rawValue: rows[end].id).operation == id { end += 1 }
            let group = rows[begin..<end]
            body(id, group.map { OperationID(rawValue: $0.id).attempt }, Set(group.map(\.event)).sorted())
            begin = end
        }
    }

    private mutating func keep(_ part: Part, _ number: Int64) {
        if let mine = parts[number], mine.index <= part.index { return }
        parts[number] = part
    }
}
