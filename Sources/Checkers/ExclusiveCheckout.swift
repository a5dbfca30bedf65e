package import RigModel

/// A connection has one holder at a time.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct ExclusiveCheckout: Checker {
    package static let shape = Shape(
        name: "exclusive-checkout", summary: "no connection is ever held by two clients at the same time")

    package static let explanation = Explanation(
        claims: """
            From when a client was handed a connection until it began to give it back nobody else held that
            connection. No tolerance is needed: both moments are the client's own, and lie within what it really held.
            Nor did anybody hold the same session of the server under another number; that is judged while no fault is
            active and until the session has ended, since a server that was started anew gives its numbers again, and
            not behind a pooler.
            """,
        needs: """
            Operations that tell `leased_ns` and `returned_ns`, else unknown.
            """,
        cannotSee: """
            A use of a connection after it was given back (own-results sees its effect); the first of two connections
            of an operation that was retried; holders that were never seen to give back.
            """)

    private var faults = FaultWindows()
    private var intervals = LeaseIntervals()
    private var sight = SessionSight()
    /// When a session of the server's process was first seen to have ended.
    private var ended: [Int: Int64] = [:]

    package init(_ parameters: Parameters) {}

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        intervals.observe(event)
        sight.observe(event)
        guard event.process == .probe, event.function == "session-ended" else { return }
        for pid in event.value["pids"]?.arrayValue ?? [] {
            if let pid = pid.intValue { ended[Int(pid)] = min(ended[Int(pid)] ?? .max, event.time) }
        }
    }

    package mutating func merge(_ other: ExclusiveCheckout) {
        faults.merge(other.faults)
        intervals.merge(other.intervals)
        sight.merge(other.sight)
        ended.merge(other.ended) { min($0, $1) }
    }

    package func finish() -> InvariantResult {
        var list: [Finding] = []
        var total = 0
        intervals.forEachOverlap { key, earlier, later in
            total += 1
            guard list.count < InvariantResult.findingLimit else { return }
            list.append(finding(key, earlier, later))
        }
        var findings = Findings()
        findings.add(list, total: total)
        var twice: [Finding] = []
        var twiceTotal = 0
        intervals.forEachOverlapOfProcesses { one, earlier, other, later in
            guard sight.isOfServer, ended[one.pid] ?? .max > later.begin * 1000, !hasFault(earlier, later) else {
                return
            }
            twiceTotal += 1
            if twice.count < InvariantResult.findingLimit { twice.append(finding(one, earlier, other, later)) }
        }
        findings.add(twice, total: twiceTotal)
        return .judged(
            Self.shape.name, findings,
            unknown: intervals.count == 0 ? "no client told when it got and gave back its connection" : nil,
            facts: "\(counted(intervals.count, "use")) of \(counted(intervals.connectionCount, "connection"))",
            measured: [
                "uses": JSONValue(intervals.count), "connections": JSONValue(intervals.connectionCount),
                "overlaps": JSONValue(total), "overlaps_of_sessions": JSONValue(twiceTotal),
            ])
    }

    private func hasFault(_ earlier: LeaseIntervals.Hold, _ later: LeaseIntervals.Hold) -> Bool {
        let (from, to) = (earlier.begin * 1000, max(earlier.end, later.end) * 1000)
        return faults.timeline.unordered.contains { FaultWindows.isActive($0, from: from, to: to) }
    }

    private func finding(
        _ one: LeaseIntervals.Key, _ earlier: LeaseIntervals.Hold, _ other: LeaseIntervals.Key,
        _ later: LeaseIntervals.Hold
    ) -> Finding {
        var finding = finding(one, earlier, later)
        finding.title =
            "One session of the server was lent out twice, as connections \(one.connection) and \(other.connection)"
        finding.expected = "one holder at a time"
        return finding
    }

    private func finding(
        _ key: LeaseIntervals.Key, _ earlier: LeaseIntervals.Hold, _ later: LeaseIntervals.Hold
    ) -> Finding {
        let both = min(earlier.end, later.end) - later.begin
        let pid = key.pid >= 0 ? " (pid \(key.pid))" : ""
        func words(_ hold: LeaseIntervals.Hold) -> String {
            "worker \(hold.worker) from \(TimeText.words(nanoseconds: hold.begin * 1000)) for "
                + TimeText.words(nanoseconds: (hold.end - hold.begin) * 1000)
        }
        return Finding(
            title: "Connection \(key.connection) was held by two clients at once", expected: "one holder at a time",
            seen: "\(words(earlier)), and \(words(later))\(pid): both for \(TimeText.words(nanoseconds: both * 1000))",
            events: [earlier.index, later.index].sorted(), time: later.begin * 1000,
            activeFault: faults.words(from: later.begin * 1000, to: (later.begin + both) * 1000))
    }
}
