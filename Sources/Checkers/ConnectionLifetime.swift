package import RigModel

/// No connection outlives max-lifetime, and none is retired too early.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct ConnectionLifetime: Checker {
    package static let shape = Shape(
        name: "connection-lifetime", summary: "no connection outlives max-lifetime, and none is retired too early",
        parameters: [
            Parameter(
                "tolerance", .duration, default: .duration(.seconds(2)),
                summary: "how long past its time a connection may still be there")
        ])

    package static let explanation = Explanation(
        claims: """
            No connection is lent out or kept past `max_lifetime`, and that none is retired for its age before the
            longest jitter allows. A lease that is out counts until its return.

            `tolerance` is for the pool's own rhythm (it looks at what is idle every so often). Time in which the
            machine stood still is added.
            """,
        needs: """
            `max_lifetime`, and a connection that grew as old as that.
            """,
        cannotSee: """
            Leases that are not the last one of an operation, nor those of the rig's own probes; and only the last
            lease of each connection.
            """)

    /// How much later than it happened the opening of a connection may stand in the history.
    private static let reportDelay: Int64 = 100_000_000

    private let tolerance: Int64
    private var surroundings = Surroundings()
    private var lives = ConnectionLives()
    private var last = FaultTimeline.Moment(index: 0, time: 0)

    package static let isMeasurement = true

    package init(_ parameters: Parameters) { tolerance = parameters.nanoseconds("tolerance", default: .seconds(2)) }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        lives.observe(event)
        if event.index > last.index { last = event.moment }
    }

    package mutating func merge(_ other: ConnectionLifetime) {
        surroundings.merge(other.surroundings)
        lives.merge(other.lives)
        last = max(last, other.last)
    }

    package func finish() -> InvariantResult {
        guard let maxLifetime = surroundings.setting("max_lifetime_ns") else {
            return .judged(Self.shape, Findings(), unless: "the pool told no max-lifetime", summary: "")
        }
        let jitter = min(surroundings.setting("max_lifetime_jitter_ns") ?? 0, maxLifetime)
        let all = lives.opened
        let ages = all.map { ($0.closed ?? last).time - ($0.opened?.time ?? 0) }
        let overdue = LifetimeRule(maxLifetime: maxLifetime, tolerance: tolerance).overdue(
            lives, surroundings, end: last)
        var findings = Findings()
        findings.add(overdue.map { $0.finding(maxLifetime, tolerance, surroundings.faults) })
        let early = all.filter { life in
            guard life.reason == "max-lifetime", let opened = life.opened, let closed = life.closed else {
                return false
            }
            let lateness = Self.reportDelay + surroundings.stalled(from: opened.time - 1_000_000_000, to: opened.time)
            return closed.time - opened.time < maxLifetime - jitter - lateness
        }
        findings.add(early.map { tooEarly($0, maxLifetime - jitter) })

        let retired = all.count { $0.reason == "max-lifetime" }
        let oldest = ages.max() ?? 0
        let reason: String? =
            all.isEmpty
            ? "no connection was ever opened"
            : oldest < maxLifetime - jitter ? "no connection grew old enough: the oldest was \(oldest.words)" : nil
        return .judged(
            Self.shape, findings, unless: reason,
            summary: "\(counted(retired, "connection")) of \(all.count) retired for their age, the oldest was "
                + "\(oldest.words) (max-lifetime \(maxLifetime.words))",
            measured: [
                "opened": JSONValue(all.count), "retired": JSONValue(retired), "overdue": JSONValue(overdue.count),
                "too_early": JSONValue(early.count), "oldest_s": .seconds(oldest),
                "max_lifetime_s": .seconds(maxLifetime),
            ])
    }

    private func tooEarly(_ life: ConnectionLives.Life, _ earliest: Int64) -> Finding {
        let opened = life.opened?.time ?? 0
        let closed = life.closed?.time ?? 0
        return Finding(
            title: "Connection \(life.connection) was retired for its age when it was \((closed - opened).words) old",
            expected: "not before \(earliest.words)", seen: "opened at \(opened.words), closed at \(closed.words)",
            events: [life.opened?.index, life.closed?.index].compactMap { $0 }, time: closed,
            activeFault: surroundings.faults.words(at: closed))
    }
}
