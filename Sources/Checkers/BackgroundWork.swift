package import RigModel

/// After each heal the pool refills, and goes on applying its idle and lifetime limits.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct BackgroundWork: Checker {
    package static let shape = Shape(
        name: "background-work",
        summary: "after each heal the pool refills, and goes on applying its idle and lifetime limits",
        parameters: [
            Parameter(
                "within", .duration, default: .duration(.seconds(5)),
                summary: "how long after a heal, or past a limit, the pool may take")
        ])

    package static let explanation = Explanation(
        claims: """
            The pool's own work goes on after each fault, without anybody asking for it: it gets back to `min_idle`,
            closes what is idle for longer than `max_idle_time`, and retires what is older than `max_lifetime`, all
            within `within`.

            A pool is short when fewer connections than `min_idle` are in nobody's hands although `max_open` leaves
            room for more. Time in which a fault was active, the machine stood still, or the rig did not come to look,
            does not count. Of several pools side by side each is judged for itself.
            """,
        needs: """
            A fault that landed and was healed, gauges until `within` after the last heal (some after it are enough
            where the pool has its `min_idle` then), and a limit that came to bear: a `min_idle`, a connection as old
            as `max_lifetime`, or idle ones for as long as `max_idle_time`.
            """,
        cannotSee: """
            Anything of several pools whose gauges are told as one sum only (then it is unknown). The pool's checks of
            idle connections (`no-dead-connections` sees what they miss), and idle connections that are too many while
            somebody uses the pool.
            """)

    private let within: Int64
    private var surroundings = Surroundings()
    private var spans = GaugeSpans()
    private var activity = ActivitySlices()
    private var lives = ConnectionLives()
    private var last = FaultTimeline.Moment(index: 0, time: 0)

    package static let isMeasurement = true

    package init(_ parameters: Parameters) { within = parameters.nanoseconds("within", default: .seconds(5)) }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        spans.observe(event)
        activity.observe(event)
        if event.process == .probe, let took = event.value.nanoseconds("took_ns") {
            // The rig's own uses of the pool.
            activity.mark(max(0, event.time - took))
            activity.mark(event.time)
        }
        lives.observe(event)
        if event.index > last.index { last = event.moment }
    }

    package mutating func merge(_ other: BackgroundWork) {
        surroundings.merge(other.surroundings)
        spans.merge(other.spans)
        activity.merge(other.activity)
        lives.merge(other.lives)
        last = max(last, other.last)
    }

    package func finish() -> InvariantResult {
        let all = spans.finished
        var findings = Findings()
        let short = minIdle > 0 ? all.tooFew.elements.compactMap(tooFew) : []
        findings.add(short)
        let idle = maxIdleTime.map { limit in all.tooMany.elements.compactMap { tooMany($0, limit) } } ?? []
        findings.add(idle)
        let old = overdue
        findings.add(old)
        let healed = healedFaults
        return .judged(
            Self.shape, findings, unless: nothingToJudge(healed, all), summary: summary(healed.count, all),
            measured: [
                "faults": JSONValue(healed.count), "min_idle": .int(minIdle), "short": JSONValue(short.count),
                "idle_too_long": JSONValue(idle.count), "too_old": JSONValue(old.count),
                "longest_short_s": .seconds(all.tooFew.elements.map(judgedTime).max() ?? 0),
            ])
    }

    /// The gauges are those of one pool, or told for each.
    private var isTold: Bool { surroundings.instances == 1 || spans.tellsEach }
    private var minIdle: Int64 { isTold ? surroundings.setting("min_idle") ?? 0 : 0 }
    private var maxIdleTime: Int64? { isTold ? surroundings.setting("max_idle_time_ns") : nil }
    private var maxLifetime: Int64? { surroundings.setting("max_lifetime_ns") }
    private var healedFaults: [FaultTimeline.Injection] { surroundings.landed.filter { $0.heal != nil && !$0.forced } }

    // MARK: Judging

    private func nothingToJudge(_ healed: [FaultTimeline.Injection], _ all: GaugeSpans) -> String? {
        if !surroundings.isConfigured { return "the pool never told its limits" }
        if !isTold, surroundings.setting("min_idle") ?? 0 > 0 || surroundings.setting("max_idle_time_ns") != nil {
            return "the gauges are the sum of \(surroundings.instances) pools: what each of them has is not told"
        }
        if minIdle == 0 && maxIdleTime == nil && maxLifetime == nil {
            return "the pool has neither min-idle nor max-idle-time nor max-lifetime: there is nothing to be done"
        }
        guard let lastHeal = healed.compactMap({ $0.heal?.time }).max() else { return "no fault landed and was healed" }
        guard let lastSample = spans.lastSample else { return "the pool never told its gauges" }
        let watchedTo = min(lastSample.time, end)
        let observed = watchedTo - lastHeal
        let isShort = all.tooFew.elements.contains { $0.from.time <= watchedTo && $0.to.time >= watchedTo }
        if observed <= 0 || observed < within && (isShort || minIdle == 0) {
            return "the pool was watched for only \(max(0, observed).words) after the last heal"
        }
        return minIdle > 0 || cameToBear(all)
            ? nil : "no connection grew so old, or was idle for so long, that the pool had to close it"
    }

    /// Something was old enough, or idle for long enough, to be closed, or was closed for that.
    private func cameToBear(_ all: GaugeSpans) -> Bool {
        let reasons: Set = ["max-lifetime", "max-idle-time"]
        if lives.opened.contains(where: { $0.reason.map(reasons.contains) ?? false }) { return true }
        if let maxIdleTime {
            let isLong = all.tooMany.elements.contains { span in
                guard let quiet = quietTime(span) else { return false }
                return quiet.upperBound - quiet.lowerBound >= maxIdleTime
            }
            if isLong { return true }
        }
        guard let maxLifetime else { return false }
        let oldest = lives.opened.map { ($0.closed ?? last).time - ($0.opened?.time ?? 0) }.max() ?? 0
        return oldest >= maxLifetime - min(surroundings.setting("max_lifetime_jitter_ns") ?? 0, maxLifetime)
    }

    /// When the pool was closed after the load.
    private var end: Int64 { spans.end(after: surroundings.loadEnd) }

    /// Until when a span is judged.
    private func end(_ span: GaugeSpans.Span) -> Int64 { max(span.from.time, min(span.to.time, end)) }

    /// The longest time in a span in which nobody used the pool.
    private func quietTime(_ span: GaugeSpans.Span) -> Range<Int64>? {
        end(span) > span.from.time ? activity.longestQuiet(from: span.from.time, to: end(span)) : nil
    }

    /// The length of a span without faults, stalls and times in which nobody looked.
    private func judgedTime(_ span: GaugeSpans.Span) -> Int64 {
        let (from, to) = (span.from.time, end(span))
        return to - from - surroundings.faultTime(from: from, to: to) - surroundings.stalled(from: from, to: to)
            - span.unseen
    }

    private func tooFew(_ span: GaugeSpans.Span) -> Finding? {
        let judged = judgedTime(span)
        guard judged > within else { return nil }
        return Finding(
            title: "The pool did not get back to min-idle",
            expected: "\(counted(span.wanted, "connection")) that nobody holds, within \(within.words)",
            seen: "too few for \((end(span) - span.from.time).words), of which \(judged.words) without a fault"
                + (end(span) < span.to.time ? "" : "; \(span.had) at the end"),
            events: [span.from.index, span.to.index], time: span.from.time,
            activeFault: surroundings.faults.words(from: span.from.time, to: end(span)))
    }

    private func tooMany(_ span: GaugeSpans.Span, _ limit: Int64) -> Finding? {
        guard let quiet = quietTime(span) else { return nil }
        let (from, to) = (quiet.lowerBound, quiet.upperBound)
        let judged =
            to - from - surroundings.faultTime(from: from, to: to) - surroundings.stalled(from: from, to: to)
            - span.unseen
        guard judged > limit + within else { return nil }
        return Finding(
            title: "The pool kept \(counted(span.had - span.wanted, "idle connection")) that nobody used",
            expected: "closed when idle for \(limit.words) + \(within.words), down to \(span.wanted)",
            seen: "\(span.had) idle for \(judged.words) without any use", events: [span.from.index, span.to.index],
            time: from, activeFault: surroundings.faults.words(from: from, to: to))
    }

    /// Connections whose time came after a heal and that were kept all the same.
    private var overdue: [Finding] {
        guard let maxLifetime, let firstHeal = healedFaults.compactMap({ $0.heal?.time }).min() else { return [] }
        return LifetimeRule(maxLifetime: maxLifetime, tolerance: within).overdue(lives, surroundings, end: last)
            .filter { $0.due >= firstHeal }.map { $0.finding(maxLifetime, within, surroundings.faults) }
    }

    private func summary(_ healed: Int, _ all: GaugeSpans) -> String {
        var parts: [String] = []
        if minIdle > 0 {
            let longest = max(0, all.tooFew.elements.map(judgedTime).max() ?? 0)
            parts.append("below min-idle \(minIdle) for at most \(longest.words) outside faults")
        }
        if let maxIdleTime { parts.append("nothing idle for longer than \(maxIdleTime.words) was kept") }
        if let maxLifetime { parts.append("nothing older than \(maxLifetime.words) was kept") }
        return "after \(counted(healed, "fault")): \(parts.joined(separator: ", ")) (limit \(within.words))"
    }
}
