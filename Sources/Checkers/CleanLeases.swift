package import RigModel

/// Nothing of an earlier borrower is on a connection that is handed out.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct CleanLeases: Checker {
    package static let shape = Shape(
        name: "clean-leases", summary: "nothing that an earlier borrower left is on a connection that is handed out")

    package static let explanation = Explanation(
        claims: """
            Whoever looked at a fresh lease (operation `inspect`) found it as a new session is: no open transaction,
            no settings, role, temporary table, prepared name, lock or channel of somebody else. A finding names what
            was found, and the last borrower of the connection who said that he left such a thing.
            """,
        needs: """
            Somebody who left something behind (`notes.residue`, or an abandoned transaction), and later an inspection
            of the same connection that came to its end (`notes.found`), or that the pool closed it instead: a pool
            that cleans nothing passes where nobody makes dirt, or nobody looks there.
            """,
        cannotSee: """
            What the inspection does not ask for; connections that were not inspected after the dirt.
            """)

    /// Beyond this many the first ones are enough.
    private static let limit = 100
    /// As `notes.residue` and `notes.found` call them; an abandoned transaction is one that is open.
    private static let sorts = ["settings", "role", "temp-table", "advisory-lock", "listen", "transaction", "result"]

    private struct Leaver: Sendable {
        var index: UInt32
        var worker: Int32
        /// Bit n: left the n-th of the sorts.
        var left: UInt8
    }

    private var faults = FaultWindows()
    private var inspected = 0
    private var found = Smallest<Incident>(limit: limit)
    private var foundBySort: [String: Int] = [:]
    /// By connection, in the order of the history of each part. 12 bytes for each.
    private var leavers: [Int: [Leaver]] = [:]
    private var left = 0
    /// By connection: the last inspection, and when the pool closed it without being closed itself.
    private var lastInspected: [Int: Int] = [:]
    private var closed: [Int: Int] = [:]

    package init(_ parameters: Parameters) {}

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        if event.process == .pool, event.function == "connection-closed" { noteClosed(event) }
        guard let completion = event.completion, let notes = completion.notes else { return }
        noteLeaver(event, completion, notes)
        guard let items = notes["found"]?.arrayValue else { return }
        inspected += 1
        if let connection = completion.connection {
            lastInspected[connection] = max(lastInspected[connection] ?? -1, event.index)
        }
        for item in items {
            let what = item["what"]?.stringValue ?? "something unnamed"
            foundBySort[what, default: 0] += 1
            let detail = item["detail"]?.stringValue ?? ""
            found.add(Incident(event, since: completion.leasedAt, words: "\(what)\n\(detail)"))
        }
    }

    private mutating func noteClosed(_ event: Event) {
        let reason = event.value["reason"]?.stringValue
        guard !CloseWords.isEndOfPool(reason), reason != "process-ended", let connection = event.value["conn"]?.intValue
        else { return }
        closed[Int(clamping: connection)] = event.index
    }

    private mutating func noteLeaver(_ event: Event, _ completion: Completion, _ notes: JSONValue) {
        var bits: UInt8 = 0
        for name in (notes["residue"]?.arrayValue ?? []) + [notes["abandon"] ?? .null] {
            guard let sort = name.stringValue.flatMap(Self.sorts.firstIndex(of:)) else { continue }
            bits |= 1 << UInt8(sort)
        }
        guard bits != 0, case .worker(let worker) = event.process, let connection = completion.connection else {
            return
        }
        left += 1
        let leaver = Leaver(index: UInt32(clamping: event.index), worker: Int32(clamping: worker), left: bits)
        leavers[connection, default: []].append(leaver)
    }

    package mutating func merge(_ other: CleanLeases) {
        faults.merge(other.faults)
        inspected += other.inspected
        found.merge(other.found)
        foundBySort.merge(other.foundBySort, uniquingKeysWith: +)
        leavers.merge(other.leavers, uniquingKeysWith: +)
        left += other.left
        lastInspected.merge(other.lastInspected) { max($0, $1) }
        closed.merge(other.closed) { max($0, $1) }
    }

    /// Connections that somebody had soiled, and that were inspected, or closed, afterwards.
    private var proven: (inspected: Int, closed: Int) {
        var proven = (inspected: 0, closed: 0)
        for (connection, leavers) in leavers {
            let first = leavers.map { Int($0.index) }.min() ?? .max
            if lastInspected[connection] ?? -1 > first {
                proven.inspected += 1
            } else if closed[connection] ?? -1 > first {
                proven.closed += 1
            }
        }
        return proven
    }

    package var violationsSoFar: Int? { found.total }

    package func finish() -> InvariantResult {
        var findings = Findings()
        findings.add(found.elements.map(finding), total: found.total)
        let sorts = foundBySort.keys.sorted().map { "\($0) \(foundBySort[$0] ?? 0)" }
        return .judged(
            Self.shape.name, findings, unknown: reason,
            facts: "\(counted(inspected, "lease")) inspected, \(counted(left, "borrower")) had left something, "
                + (sorts.isEmpty ? "nothing was found" : "found: \(sorts.joined(separator: ", "))"),
            measured: [
                "inspected": JSONValue(inspected), "left": JSONValue(left), "found": JSONValue(found.total),
                "sorts": .object(foundBySort.keys.sorted().map { .init($0, JSONValue(foundBySort[$0] ?? 0)) }),
            ])
    }

    private var reason: String? {
        if inspected == 0 { return "no lease was ever inspected" }
        if left == 0 { return "nobody left anything behind that a lease could be cleaned of" }
        let proven = proven
        return proven.inspected + proven.closed == 0
            ? "no connection on which somebody left something was inspected after that" : nil
    }

    private func finding(_ incident: Incident) -> Finding {
        let parts = incident.words.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        let (what, detail) = (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        let leaver = lastLeaver(of: what, before: incident)
        let origin =
            leaver.map { "left by worker \($0.worker) (event \($0.index))" } ?? "nobody said that he left it"
        return incident.finding(
            "A lease came with the \(what) of somebody else", expected: "a connection as a new session is",
            seen: "found \(what)\(detail.isEmpty ? "" : " (\(detail))"), \(origin)",
            events: leaver.map { [Int($0.index)] } ?? [], faults)
    }

    private func lastLeaver(of what: String, before incident: Incident) -> Leaver? {
        guard let connection = incident.connection, let sort = Self.sorts.firstIndex(of: what) else { return nil }
        return (leavers[connection] ?? []).filter { $0.index < incident.index && $0.left & 1 << UInt8(sort) != 0 }
            .max { $0.index < $1.index }
    }
}
