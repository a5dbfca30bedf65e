package import RigModel

/// The server never sees more sessions than max-open.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct MaxOpenConnections: Checker {
    package static let shape = Shape(
        name: "max-open-connections", summary: "the server never sees more sessions than max-open",
        parameters: [
            Parameter(
                "grace", .duration, default: .duration(.seconds(5)),
                summary: "how long the session of a connection that was closed may still be there")
        ])

    package static let explanation = Explanation(
        claims: """
            The server never has more sessions of the pool than `max_open`, and that the pool's own gauges (open and
            being opened) never exceed it.

            A session that is just ending does not count: one that the pool closed, or that a failed connect left, at
            most `grace` before, and that the server has not been seen without since (`probe/session-ended`). That time does not run while the machine stands still, and is longer by twice the
            time of a fault since: a frozen server, or one that packets do not reach, cannot notice that its client
            left, and the client's kernel repeats its goodbye as late after the heal. Where the pool tells nothing of
            its connections, what exceeds the limit must last longer than `grace`.
            """,
        needs: """
            `max_open`, and either samples in which the server had a session, or, where there is no server (a file),
            gauges. Of our own pool both samples and gauges.
            """,
        cannotSee: """
            What comes and goes between two samples, and connections that never got as far as a session.
            """)

    private let grace: Int64
    private var surroundings = Surroundings()
    private var gauges = GaugePeaks()
    private var sessions = SessionRuns()
    private var leavings = SessionLeavings()
    private var tellsConnections = false
    private var sight = OwnPoolSight()

    package static let isMeasurement = true

    package init(_ parameters: Parameters) { grace = parameters.nanoseconds("grace", default: .seconds(5)) }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        leavings.observe(event)
        sight.observe(event)
        switch event.process {
        case .probe: sessions.observe(event)
        case .pool:
            gauges.observe(event) { value in
                value["open"]?.intValue.map { $0 + (value["connecting"]?.intValue ?? 0) }
            }
            if event.function == "connection-opened", event.value["first_seen"] != true { tellsConnections = true }
        case .worker, .nemesis: break
        }
    }

    package mutating func merge(_ other: MaxOpenConnections) {
        surroundings.merge(other.surroundings)
        gauges.merge(other.gauges)
        sessions.merge(other.sessions)
        leavings.merge(other.leavings)
        sight.merge(other.sight)
        tellsConnections = tellsConnections || other.tellsConnections
    }

    package func finish() -> InvariantResult {
        guard let limit = surroundings.total("max_open") else {
            return .judged(Self.shape, Findings(), unless: "the pool never told its max-open", summary: "")
        }
        var findings = Findings()
        let tooMany = sessions.runs.compactMap { finding($0, limit) }
        findings.add(tooMany)
        let peaks = gauges.above(limit)
        findings.add(peaks.map { finding($0, limit) })
        return .judged(
            Self.shape, findings, unless: nothingToJudge, summary: summary(limit),
            measured: [
                "max_open": .int(limit), "sessions_peak": sessions.peak.map { .int($0) } ?? .null,
                "pool_peak": gauges.peak.map { .int($0) } ?? .null, "samples": JSONValue(sessions.samples),
                "samples_over": JSONValue(tooMany.count), "gauges_over": JSONValue(peaks.count),
            ])
    }

    private var nothingToJudge: String? {
        if let reason = sight.withoutGauges ?? sight.withoutSamples { return reason }
        if sessions.samples > 0 { return sessions.peak == 0 ? "the server never had a session of the pool" : nil }
        if sessions.sawSockets { return "the server's sessions were never counted" }
        return gauges.samples > 0 ? nil : "neither the server's sessions nor the pool's connections were ever counted"
    }

    // MARK: Judging

    private func finding(_ run: SessionRuns.Run, _ limit: Int64) -> Finding? {
        guard run.sessions > limit else { return nil }
        // Those that were ending grow fewer with time: the last sample of a run has the fewest excuses.
        let excused =
            tellsConnections
            ? leavings.ending(at: run.last.time, enough: run.sessions - limit, grace: grace, surroundings) : 0
        if run.sessions <= limit + excused { return nil }
        if !tellsConnections, SessionLeavings.judgedTime(from: run.overSince, to: run.last.time, surroundings) <= grace
        {
            return nil
        }
        return Finding(
            title: "The server had \(counted(run.sessions, "session")) of the pool, "
                + "\(run.sessions - limit) more than allowed",
            expected: "at most \(limit), and such as were closed within \(grace.words) before",
            seen: "\(run.sessions) "
                + (run.first == run.last
                    ? "at \(run.first.time.words)" : "from \(run.first.time.words) to \(run.last.time.words)")
                + ", of which \(excused) "
                + "may have been ending",
            events: run.first == run.last ? [run.first.index] : [run.first.index, run.last.index],
            time: run.first.time,
            activeFault: surroundings.faults.words(from: run.first.time, to: run.last.time))
    }

    private func finding(_ peak: GaugePeaks.Peak, _ limit: Int64) -> Finding {
        Finding(
            title: "The pool itself counted \(counted(peak.value, "connection"))",
            expected: "at most \(limit) open and being opened",
            seen: "\(peak.value) at \(peak.at.time.words)", events: [peak.at.index], time: peak.at.time,
            activeFault: surroundings.faults.words(at: peak.at.time))
    }

    private func summary(_ limit: Int64) -> String {
        var parts: [String] = []
        if let peak = sessions.peak {
            parts.append("the server had at most \(counted(peak, "session")) in \(counted(sessions.samples, "sample"))")
        }
        if let peak = gauges.peak { parts.append("the pool counted at most \(counted(peak, "connection"))") }
        return parts.joined(separator: ", ") + " (max-open \(limit))"
    }
}
