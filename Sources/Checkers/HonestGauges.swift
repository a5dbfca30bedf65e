package import RigModel

/// The pool's gauges are true.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct HonestGauges: Checker {
    package static let shape = Shape(
        name: "honest-gauges", summary: "the pool's gauges agree with its own events and with the sockets",
        parameters: [
            Parameter(
                "slack", .duration, default: .duration(.seconds(3)), summary: "how long they may differ in passing")
        ])

    package static let explanation = Explanation(
        claims: """
            `open` agrees with the pool's own events (opened less closed) and with the sockets of its process: not
            more open than there are sockets, and no more sockets than open and connecting. A gauge is a sample, and a
            socket may live a moment longer than the connection: so only a difference that lasts longer than `slack`
            counts, and the time in which the machine stood still or in which nobody looked is added. An idle
            connection may have lost its socket for as long as the pool takes to check it; where it does not tell how
            long that is, only such count as are not idle. In no sample are more idle and in use than open, nor any
            number negative.
            """,
        needs: """
            `pool/gauges`, and beside them `connection-opened` or the sockets of `probe/sample`, else unknown.
            """,
        cannotSee: """
            Lies that last shorter than `slack`; `waiting`, which nobody else counts; sockets of SQLite; one
            socket too many only while a fault is active, since the rig may have one of its own then, to prove the
            fault by.
            """)

    private let slack: Int64
    private var surroundings = Surroundings()
    private var count = OpenCount()
    private var sockets = SocketSeconds()
    private var impossible = Smallest<Incident>(limit: 50)

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        slack = (parameters.duration("slack") ?? .seconds(3)).wholeNanoseconds
    }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        sockets.observe(event)
        guard event.process == .pool else { return }
        count.observe(event)
        if event.function == "gauges", let words = Self.impossibility(event.value) {
            impossible.add(Incident(event, words: words))
        }
    }

    package mutating func merge(_ other: HonestGauges) {
        surroundings.merge(other.surroundings)
        count.merge(other.count)
        sockets.merge(other.sockets)
        impossible.merge(other.impossible)
    }

    package var violationsSoFar: Int? { impossible.total }

    package func finish() -> InvariantResult {
        var findings = Findings()
        findings.add(
            impossible.elements.map {
                Finding(
                    title: "The gauges contradict themselves", expected: "open is at least idle and in use together",
                    seen: $0.words, events: [$0.index], time: $0.time,
                    activeFault: surroundings.faults.words(at: $0.time))
            }, total: impossible.total)
        findings.add(
            (count.opened > 0 ? count.differences : []).filter { lasts(from: $0.from, to: $0.to - $0.unseen) }.map {
                run in
                finding(
                    "The pool's gauge does not agree with its own events", from: run.from, to: run.to,
                    expected: "open \(run.counted): opened less closed", seen: "open \(run.told)",
                    events: [run.firstIndex, run.lastIndex])
            })
        findings.add(
            sockets.differences(exceptIdle: checkTime == nil).filter(lasts).map { run in
                finding(
                    run.tooMany
                        ? "More sockets than the pool knows of" : "The pool counts connections without a socket",
                    from: run.from, to: run.to,
                    expected: run.tooMany ? "as many sockets as connections" : "a socket for each open connection",
                    seen: "\(run.sockets) sockets, \(run.connections) connections "
                        + (run.tooMany ? "open or being opened" : "open"), events: run.events)
            })
        return .judged(
            Self.shape.name, findings, unknown: reason,
            facts: "\(counted(count.samples, "sample")) of the gauges against "
                + [
                    count.opened > 0 ? "\(counted(count.opened, "connection")) opened" : nil,
                    sockets.compared > 0 ? "the sockets of \(counted(sockets.compared, "second"))" : nil,
                ].compactMap { $0 }.joined(separator: " and "),
            measured: [
                "samples": JSONValue(count.samples), "seconds_compared": JSONValue(sockets.compared),
                "longest_difference_ms": .milliseconds(count.differences.map { $0.to - $0.from }.max() ?? 0),
            ])
    }

    private var reason: String? {
        if count.samples == 0 { return "the pool told no gauges" }
        return count.opened == 0 && sockets.compared == 0
            ? "neither the pool's events nor its sockets were there to compare with" : nil
    }

    private func lasts(from: Int64, to: Int64) -> Bool { to - from > slack + surroundings.stalled(from: from, to: to) }

    /// While a fault is active the rig may have a connection of its own, to prove it by. A socket that is left is there afterwards.
    private func lasts(_ run: SocketSeconds.Difference) -> Bool {
        if run.tooMany {
            let proofs = run.least == 1 ? surroundings.faultTime(from: run.from, to: run.to) : 0
            return lasts(from: run.from, to: run.to - proofs)
        }
        let stalled = surroundings.stalled(from: run.from, to: run.to)
        return run.to - run.from > max(slack, checkTime ?? 0) + stalled
    }

    /// For how long the pool may not know that an idle connection is dead; `nil`: it does not say.
    private var checkTime: Int64? {
        surroundings.setting("health_check_interval_ns").map {
            min($0, Event.timeLimit) + min(surroundings.setting("check_timeout_ns") ?? 0, Event.timeLimit)
        }
    }

    private func finding(
        _ title: String, from: Int64, to: Int64, expected: String, seen: String, events: [Int]
    ) -> Finding {
        Finding(
            title: title, expected: expected,
            seen: "\(seen), for \(TimeText.words(nanoseconds: to - from)) from \(TimeText.words(nanoseconds: from)) on",
            events: events, time: from, activeFault: surroundings.faults.words(from: from, to: to))
    }

    private static func impossibility(_ gauges: JSONValue) -> String? {
        let names = ["open", "idle", "in_use", "connecting", "waiting"]
        if let name = names.first(where: { gauges[$0]?.intValue ?? 0 < 0 }) {
            return "\(name) \(gauges[name]?.intValue ?? 0)"
        }
        guard let open = gauges["open"]?.intValue, let idle = gauges["idle"]?.intValue,
            let inUse = gauges["in_use"]?.intValue, idle + inUse > open
        else { return nil }
        return "open \(open), idle \(idle), in use \(inUse)"
    }
}
