package import RigModel

/// No statement runs on for long after its client left.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct NoOrphans: Checker {
    package static let shape = Shape(
        name: "no-orphans", summary: "no statement runs on for long after its client left",
        parameters: [
            Parameter(
                "grace", .duration, default: .duration(.seconds(5)),
                summary: "how long the server may take to notice that a client left"),
            Parameter("limit", .count, summary: "orphans at the most, however short; left out: any number"),
        ])

    package static let explanation = Explanation(
        claims: """
            No statement runs on for longer than `grace` on the server after its client left. Such an *orphan* is no
            leak of the pool: it is counted here, and not there. Time in which a fault was active, or the machine
            stood still, does not count.
            """,
        needs: """
            A look at the server's own sessions (behind a pooler there is none), and an operation that gave up, was cancelled or lost its connection.
            """,
        cannotSee: """
            Orphans that end between two looks.
            """)

    private struct Orphan: Sendable {
        var first: FaultTimeline.Moment
        var last: FaultTimeline.Moment
        var running: Int64
        var query: String
    }

    private let grace: Int64
    private let limit: Int?
    private var surroundings = Surroundings()
    private var orphans: [Int64: Orphan] = [:]
    private var looks = 0
    private var sight = SessionSight()
    private var abandoned = 0

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        grace = parameters.nanoseconds("grace", default: .seconds(5))
        limit = parameters.count("limit")
    }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        sight.observe(event)
        switch event.process {
        case .worker:
            guard let completion = event.completion, completion.error != nil || !completion.attempts.isEmpty else {
                return
            }
            let errors = completion.attempts.compactMap(\.error) + (completion.error.map { [$0] } ?? [])
            if errors.contains(where: Self.leavesStatement) { abandoned += 1 }
        case .probe:
            if event.function == "sample" || event.function == "books" {
                if event.value["server_sessions"]?.intValue != nil { looks += 1 }
            } else if event.function == "orphan", let pid = event.value["pid"]?.intValue {
                add(
                    pid,
                    Orphan(
                        first: event.moment, last: event.moment, running: event.value.nanoseconds("running_ns") ?? 0,
                        query: event.value["query"]?.stringValue ?? ""))
            }
        case .pool, .nemesis: break
        }
    }

    package mutating func merge(_ other: NoOrphans) {
        surroundings.merge(other.surroundings)
        for (pid, orphan) in other.orphans { add(pid, orphan) }
        looks += other.looks
        sight.merge(other.sight)
        abandoned += other.abandoned
    }

    package func finish() -> InvariantResult {
        let all = orphans.sorted { $0.value.first < $1.value.first }
        var findings = Findings()
        let lasting = all.compactMap { finding($0.key, $0.value) }
        findings.add(lasting)
        if let limit, all.count > limit, let first = all.first {
            findings.add([
                Finding(
                    title: "\(counted(all.count, "orphan")) on the server", expected: "at most \(limit)",
                    seen: "the first was pid \(first.key) at \(first.value.first.time.words)",
                    events: all.prefix(5).map(\.value.first.index), time: first.value.first.time,
                    activeFault: surroundings.faults.words(at: first.value.first.time))
            ])
        }
        let longest = all.map { judgedTime($0.value) }.max() ?? 0
        let reason: String? =
            looks == 0 && all.isEmpty
            ? "the server's sessions were never looked at"
            : !sight.isOfServer
                ? "the sessions that were seen are not the server's own, or were never named"
                : abandoned == 0 && all.isEmpty ? "no client ever left a statement behind" : nil
        return .judged(
            Self.shape, findings, unless: reason,
            summary: "\(counted(all.count, "orphan")) after \(counted(abandoned, "abandoned operation"))"
                + (all.isEmpty ? "" : ", seen for at most \(longest.words)") + " (limit \(grace.words))",
            measured: [
                "orphans": JSONValue(all.count), "lasting": JSONValue(lasting.count), "longest_s": .seconds(longest),
                "abandoned_operations": JSONValue(abandoned),
            ])
    }

    private static func leavesStatement(_ error: FailureDescription) -> Bool {
        [.begin, .query, .commit].contains(error.phase)
            && ["timed-out", "cancelled", "connection-lost"].contains(error.failureClass)
    }

    /// All sights of one process count as one orphan: its number is used again only after a long time.
    private mutating func add(_ pid: Int64, _ orphan: Orphan) {
        guard let known = orphans[pid] else {
            orphans[pid] = orphan
            return
        }
        let later = known.last < orphan.last ? orphan : known
        orphans[pid] = Orphan(
            first: min(known.first, orphan.first), last: later.last, running: later.running, query: later.query)
    }

    private func judgedTime(_ orphan: Orphan) -> Int64 {
        let (from, to) = (orphan.first.time, orphan.last.time)
        return to - from - surroundings.faultTime(from: from, to: to) - surroundings.stalled(from: from, to: to)
    }

    private func finding(_ pid: Int64, _ orphan: Orphan) -> Finding? {
        let judged = judgedTime(orphan)
        guard judged > grace else { return nil }
        return Finding(
            title: "A statement ran on for \(judged.words) after its client had left",
            expected: "noticed by the server within \(grace.words)",
            seen: "pid \(pid), running for \(orphan.running.words): "
                + orphan.query.split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(80),
            events: orphan.first == orphan.last ? [orphan.first.index] : [orphan.first.index, orphan.last.index],
            time: orphan.first.time,
            activeFault: surroundings.faults.words(from: orphan.first.time, to: orphan.last.time))
    }
}
