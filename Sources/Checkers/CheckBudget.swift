package import RigModel

/// The pool's health checks are no more than its settings ask for.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct CheckBudget: Checker {
    package static let shape = Shape(
        name: "check-budget", summary: "the pool checks its connections no more often than its settings ask for",
        parameters: [
            Parameter(
                "tolerance", .share, default: .share(0.1),
                summary: "checks beyond the budget, beside two for each connection")
        ])

    package static let explanation = Explanation(
        claims: """
            Until the run was quiet the pool made no more health checks than its settings ask for: one for every
            `health_check_interval` that a connection was in nobody's hands, and one for every `check_after_idle`
            before it was lent. Two for each connection that was opened, twenty and `tolerance` more are allowed. A
            pool that asks at every acquire whether the connection is alive doubles the load of its server.
            """,
        needs: """
            The pool's counters when it was quiet (`healthChecksOK`, `healthChecksFailed`), its gauges, one of the two
            settings, and at least one check.
            """,
        cannotSee: """
            How long a check took, and which connection was checked; what the gauges did between two samples that lie
            half a second or more apart (then all connections count as idle).
            """)

    private static let few = 20.0

    private let tolerance: Double
    private var surroundings = Surroundings()
    /// Connections in nobody's hands, times nanoseconds; and time in which nobody looked.
    private var idleTime: Int64 = 0
    private var unseen: Int64 = 0
    private var last: (time: Int64, free: Int64)?
    private var opened = 0
    /// Checks and acquires of each `pool/metrics` of a quiet pool; the last one is judged.
    private var told: (index: Int, time: Int64, checks: Int64, acquires: Int64)?

    package init(_ parameters: Parameters) { tolerance = parameters.share("tolerance") ?? 0.1 }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        guard event.process == .pool else { return }
        switch event.function {
        case "connection-opened": opened += 1
        case "gauges": sample(event)
        case "metrics":
            guard event.value["at"]?.stringValue == "quiesced", let counters = event.value["counters"],
                let ok = counters["healthChecksOK"]?.intValue, let failed = counters["healthChecksFailed"]?.intValue
            else { return }
            let checks = ok.addingReportingOverflow(failed).partialValue
            told = (event.index, event.time, checks, counters["acquireCount"]?.intValue ?? 0)
        default: break
        }
    }

    private mutating func sample(_ event: Event) {
        guard let open = event.value["open"]?.intValue, let inUse = event.value["in_use"]?.intValue else { return }
        if let last {
            let step = event.time - last.time
            if step > GaugeRhythm.longestStep { unseen += step } else { idleTime += step * last.free }
        }
        last = (event.time, min(max(open.subtractingReportingOverflow(inUse).partialValue, 0), 1_000_000))
    }

    /// The pool's events are all in one part of the history.
    package mutating func merge(_ other: CheckBudget) {
        surroundings.merge(other.surroundings)
        idleTime += other.idleTime
        unseen += other.unseen
        last = last ?? other.last
        opened += other.opened
        told = told ?? other.told
    }

    package func finish() -> InvariantResult {
        guard let reason = nothingToJudge else { return judged }
        return .judged(Self.shape, Findings(), unless: reason, summary: "")
    }

    private var nothingToJudge: String? {
        guard let told else { return "the pool never told how many checks it had made" }
        if interval == nil && afterIdle == nil { return "the pool told no setting of its checks" }
        if last == nil { return "the pool told no gauges" }
        return told.checks == 0 ? "no connection was ever checked" : nil
    }

    private var interval: Int64? { surroundings.setting("health_check_interval_ns") }
    private var afterIdle: Int64? { surroundings.setting("check_after_idle_ns") }

    /// Idle time, with all that may have been idle while nobody looked: connections times nanoseconds.
    private var longestIdleTime: Double {
        Double(idleTime) + Double(unseen) * Double(surroundings.total("max_open") ?? 0)
    }

    private var budget: Double {
        func checks(_ every: Int64?) -> Double {
            guard let every else { return 0 }
            return every > 0 ? longestIdleTime / Double(every) : .infinity
        }
        // Without a time each acquire may be checked.
        let lent = afterIdle == 0 ? Double(told?.acquires ?? 0) : checks(afterIdle)
        return (checks(interval) + lent) * (1 + tolerance) + Double(2 * opened) + Self.few
    }

    private var judged: InvariantResult {
        let checks = told?.checks ?? 0
        let budget = min(budget, 1e15).rounded(.up)
        var findings = Findings()
        let settings =
            [interval.map { "every \($0.words)" }, afterIdle.map { "before a lease after \($0.words) of idle time" }]
            .compactMap { $0 }.joined(separator: " and ")
        if Double(checks) > budget, let told {
            findings.add([
                Finding(
                    title: "The pool made \(checks) health checks",
                    expected: "at most \(Int64(budget)) (\(settings))",
                    seen:
                        "\(checks) for \(counted(told.acquires, "acquire")) and \(counted(opened, "connection")), which "
                        + "together were idle for \(Int64(min(longestIdleTime, 1e18)).words)",
                    events: [told.index], time: told.time, activeFault: surroundings.faults.words(at: told.time))
            ])
        }
        return .judged(
            Self.shape, findings, unless: nil,
            summary: "\(counted(checks, "health check")), the settings allow \(Int64(budget))",
            measured: ["checks": .int(checks), "budget": .int(Int64(budget)), "opened": JSONValue(opened)])
    }
}
