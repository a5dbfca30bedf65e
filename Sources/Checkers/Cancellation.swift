package import RigModel

/// A cancelled call ends at once, and is not carried on as if nothing had been said.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct Cancellation: Checker {
    package static let shape = Shape(
        name: "cancellation", summary: "a cancelled call ends at once, and is never carried on as if it had not been",
        parameters: [
            Parameter(
                "limit", .duration, default: .duration(.seconds(1)),
                summary: "from the cancellation to the end of the call"),
            Parameter(
                "grace", .duration, default: .duration(.milliseconds(100)),
                summary: "how long after it a statement that was being answered may still return its result"),
        ])

    package static let explanation = Explanation(
        claims: """
            From the cancellation to the end of the call it takes at most `limit`, and the pool's release timeout more
            where a connection was held that had to be given back. A call that was cancelled before its statement was
            answered returns no result: cancelled in the queue, during connect, check or BEGIN never; during a
            statement only within `grace`, when its answer was on the way already. Cancelled during COMMIT, while
            reading or while giving back, the work is done, and its result is the truth; where an adapter does not
            tell its moments (`use`) it may be. Time in which the machine stood still is added to both.
            """,
        needs: """
            A client that was cancelled (`notes.cancel`; `behaviour: {cancel: 5%}`), else unknown.
            """,
        cannotSee: """
            What became of the connection and of the place in the queue; leaks and a fresh acquire tell that. Of an
            adapter: whether a cancellation was swallowed, and all of it where the adapter has no capability `cancel`.
            """)

    private let limit: Int64
    private let grace: Int64
    private var faults = FaultWindows()
    private var stalls = StallLog()
    private var pool = PoolLimits()
    /// The slowest ends, by whether a connection was held; the moment stands in `words`.
    private var queued = Smallest<Incident>(limit: 200)
    private var holding = Smallest<Incident>(limit: 200)
    private var swallowed = Smallest<Incident>(limit: 200)
    private var late = Smallest<Incident>(limit: 200)
    private var times: [String: LatencyHistogram] = [:]

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        limit = (parameters.duration("limit") ?? .seconds(1)).wholeNanoseconds
        grace = (parameters.duration("grace") ?? .milliseconds(100)).wholeNanoseconds
    }

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        stalls.observe(event)
        pool.observe(event)
        guard let cancel = event.completion?.notes?["cancel"], let at = cancel["at"]?.stringValue else { return }
        let took = cancel.nanoseconds("took_ns") ?? 0
        times[at, default: LatencyHistogram()].add(nanoseconds: took)
        let incident = Incident(event, weight: took, since: event.time - took, words: at)
        if at == "queue" { queued.add(incident) } else { holding.add(incident) }
        guard cancel["returned"]?.boolValue == true else { return }
        switch at {
        case "queue", "connect", "check", "begin": swallowed.add(incident)
        // `use`: an adapter does not tell its moments, and its call may have been over as well.
        case "commit", "result", "release", "use": break
        default: late.add(incident)
        }
    }

    package mutating func merge(_ other: Cancellation) {
        faults.merge(other.faults)
        stalls.merge(other.stalls)
        pool.merge(other.pool)
        queued.merge(other.queued)
        holding.merge(other.holding)
        swallowed.merge(other.swallowed)
        late.merge(other.late)
        for (at, histogram) in other.times { times[at, default: LatencyHistogram()].merge(histogram) }
    }

    package func finish() -> InvariantResult {
        var findings = Findings()
        findings.add(swallowed.elements.map(swallowedFinding), total: swallowed.total)
        findings.add(
            late.elements.filter { $0.weight > grace + stalls.stalled(from: $0.since, to: $0.time) }
                .map(swallowedFinding))
        let release = pool.nanoseconds("release_timeout_ns") ?? 0
        findings.add(queued.elements.compactMap { slowFinding($0, release: 0) })
        findings.add(holding.elements.compactMap { slowFinding($0, release: release) })

        let total = times.values.reduce(0) { $0 + $1.count }
        let moments = times.keys.sorted().map { at in
            "\(at) \(times[at]?.count ?? 0) (at most \(TimeText.words(nanoseconds: times[at]?.maxNanoseconds ?? 0)))"
        }
        return .judged(
            Self.shape.name, findings, unknown: total == 0 ? "no client was ever cancelled" : nil,
            facts: "\(counted(total, "cancellation")): \(moments.joined(separator: ", "))",
            measured: [
                "cancelled": JSONValue(total), "returned_early": JSONValue(swallowed.total),
                "returned": JSONValue(swallowed.total + late.total),
                "moments": .object(
                    times.keys.sorted().map { at in
                        .init(
                            at,
                            [
                                "count": JSONValue(times[at]?.count ?? 0),
                                "p99_ms": .milliseconds(times[at]?.nanoseconds(atQuantile: 0.99)),
                                "max_ms": .milliseconds(times[at]?.maxNanoseconds),
                            ])
                    }),
            ])
    }

    private func swallowedFinding(_ incident: Incident) -> Finding {
        incident.finding(
            "A cancellation was swallowed",
            expected: "a call that is cancelled before its answer ends without a result",
            seen:
                "cancelled (\(incident.words)), and \(TimeText.words(nanoseconds: incident.weight)) later it returned "
                + "a result", faults)
    }

    private func slowFinding(_ incident: Incident, release: Int64) -> Finding? {
        let stalled = stalls.stalled(from: incident.since, to: incident.time)
        guard incident.weight > limit + release + stalled else { return nil }
        let took = TimeText.words(nanoseconds: incident.weight)
        let extra = release > 0 ? " (\(TimeText.words(nanoseconds: release)) of it to give the connection back)" : ""
        return incident.finding(
            "A cancelled call ended only \(took) later",
            expected: "at most \(limitWords(limit + release, stalled: stalled))\(extra)",
            seen: "cancelled (\(incident.words)), ended \(took) later", faults)
    }
}
