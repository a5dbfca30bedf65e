package import RigModel

/// No connection is lent out after the pool could know that it is dead.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct NoDeadConnections: Checker {
    package static let shape = Shape(
        name: "no-dead-connections", summary: "no connection is lent out after the pool could know that it is dead",
        parameters: [
            Parameter(
                "grace", .duration, default: .duration(.seconds(1)),
                summary: "how long the pool may take to notice that a session has ended")
        ])

    package static let explanation = Explanation(
        claims: """
            No connection is lent out whose session the server had ended so long before that the pool could know: for
            longer than `grace`, and when the time is over for which the pool trusts a connection unchecked
            (`check_after_idle`): that counts from its last use, and where the pool checks idle connections by itself
            (`health_check_interval`) from the session's end, since a check can have been good until then. Time in which the machine stood still is added.

            A dead connection is one that an operation was lent after its session had ended (`probe/session-ended`),
            and on which it then failed with `session-ended` or `connection-lost`. Attempts that a retry made good
            count like operations that failed.
            """,
        needs: """
            A session that ended under a connection of the pool, and clients that tell when they were lent it.
            """,
        cannotSee: """
            Connections that are dead while their session lives (`half-open`), sessions that came and went between two
            looks at the server, and a dead connection that a caller got and did not use.
            """)

    /// The last time that a connection was lent out and failed as dead.
    private struct Failure: Comparable, Sendable {
        var leasedAt: Int64
        var at: FaultTimeline.Moment
        var process: Event.Process
        var function: String
        var failureClass: String

        static func < (a: Failure, b: Failure) -> Bool { (a.leasedAt, a.at) < (b.leasedAt, b.at) }
    }

    private let grace: Int64
    private var surroundings = Surroundings()
    private var lives = ConnectionLives()
    private var ended: [Int64: [FaultTimeline.Moment]] = [:]
    private var failures: [Int64: Failure] = [:]
    /// The latest few uses of each connection, latest first.
    private var uses: [Int64: [Use]] = [:]
    /// Uses that do not say of which connection: the rig's own, and a client's second one.
    private var namelessUses = ActivitySlices()
    private var tellsLeases = false

    /// From when on an operation held a connection, and by when it had certainly given it back.
    private struct Use: Sendable {
        var leasedAt: Int64
        var returnedBy: Int64
    }
    private static let keptUses = 4

    package init(_ parameters: Parameters) { grace = parameters.nanoseconds("grace", default: .seconds(1)) }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        lives.observe(event)
        if event.process == .probe, event.function == "session-ended" {
            for pid in event.value["pids"]?.arrayValue ?? [] {
                if let pid = pid.intValue { ended[pid, default: []].append(event.moment) }
            }
        }
        if event.process == .probe, event.value["took_ns"] != nil { namelessUses.mark(event.time) }
        guard let completion = event.completion else { return }
        noteUses(completion, event)
        if completion.leasedAt != nil { tellsLeases = true }
        for attempt in completion.attempts {
            add(attempt.error, attempt.connection, attempt.leasedAt, event)
        }
        add(completion.error, completion.connection, completion.leasedAt, event)
    }

    package mutating func merge(_ other: NoDeadConnections) {
        surroundings.merge(other.surroundings)
        lives.merge(other.lives)
        ended.merge(other.ended) { ($0 + $1).sorted() }
        failures.merge(other.failures) { max($0, $1) }
        tellsLeases = tellsLeases || other.tellsLeases
        namelessUses.merge(other.namelessUses)
        for (connection, theirs) in other.uses { for use in theirs { keep(use, connection) } }
    }

    package func finish() -> InvariantResult {
        let all = lives.opened
        let died = all.compactMap { life in endOfSession(life).map { (life, $0) } }
        let trust = max(grace, surroundings.setting("check_after_idle_ns") ?? 0)
        var findings = Findings()
        let lent = died.compactMap { finding($0.0, endedAt: $0.1, trust) }
        findings.add(lent)
        return .judged(
            Self.shape, findings, unless: nothingToJudge(died.count),
            summary: "\(counted(died.count, "session")) ended under the pool, and none was lent out more than "
                + "\(trust.words) later",
            measured: [
                "sessions_ended": JSONValue(ended.values.reduce(0) { $0 + $1.count }),
                "under_the_pool": JSONValue(died.count),
                "lent_dead": JSONValue(lent.count), "grace_s": .seconds(trust),
            ])
    }

    // MARK: Judging

    private func nothingToJudge(_ died: Int) -> String? {
        if ended.isEmpty { return "the server's ended sessions were never told, or none ended" }
        if died == 0 { return "no session ended under a connection of the pool" }
        return tellsLeases ? nil : "the clients did not tell when they were lent a connection"
    }

    /// When the server had no more session for a connection that the pool had not been rid of by itself.
    private func endOfSession(_ life: ConnectionLives.Life) -> FaultTimeline.Moment? {
        guard let pid = life.pid, let opened = life.opened,
            let end = ended[pid]?.filter({ $0.time >= opened.time }).min()
        else { return nil }
        guard let closed = life.closed, closed <= end else { return end }
        return CloseWords.isLoss(life.reason) ? end : nil
    }

    private func finding(_ life: ConnectionLives.Life, endedAt end: FaultTimeline.Moment, _ trust: Int64) -> Finding? {
        guard let failure = failures[life.connection], failure.leasedAt > end.time else { return nil }
        let stalled = surroundings.stalled(from: end.time, to: failure.leasedAt)
        let trust = min(trust, max(grace, unproven(life, failure.leasedAt) + grace - end.time))
        guard failure.leasedAt > end.time + trust + stalled else { return nil }
        let after = (failure.leasedAt - end.time).words
        return Finding(
            title: "Connection \(life.connection) was lent out \(after) after its session had ended",
            expected: "found dead within \(trust.words)\(stallWords(stalled)), and not lent out",
            seen: "`\(failure.function)` of \(failure.process.words) got it at \(failure.leasedAt.words) and failed: "
                + failure.failureClass,
            events: [life.opened?.index, end.index, failure.at.index].compactMap { $0 }, time: failure.leasedAt,
            activeFault: surroundings.faults.words(at: failure.leasedAt))
    }

    /// Until when the pool may trust a connection without a check, at the time at which it was lent out.
    private func unproven(_ life: ConnectionLives.Life, _ leasedAt: Int64) -> Int64 {
        guard let trusted = surroundings.setting("check_after_idle_ns") else { return 0 }
        if surroundings.setting("health_check_interval_ns") ?? 0 > 0 { return .max / 2 }
        let earlier = (uses[life.connection] ?? []).filter { $0.leasedAt < leasedAt }
        let used = earlier.map { min($0.returnedBy, leasedAt) }.max() ?? life.opened?.time ?? leasedAt
        return max(used, namelessUses.last(to: leasedAt) ?? 0) + trusted
    }

    private mutating func noteUses(_ completion: Completion, _ event: Event) {
        if let notes = completion.notes, notes["nested"] != nil { namelessUses.mark(event.time) }
        for attempt in completion.attempts {
            if attempt.doubt != nil { namelessUses.mark(event.time) }
            guard let connection = attempt.connection, let leasedAt = attempt.leasedAt else { continue }
            keep(Use(leasedAt: leasedAt, returnedBy: event.time), Int64(connection))
        }
        guard let connection = completion.connection, let leasedAt = completion.leasedAt else { return }
        keep(Use(leasedAt: leasedAt, returnedBy: completion.returnedAt ?? event.time), Int64(connection))
    }

    private mutating func keep(_ use: Use, _ connection: Int64) {
        var kept = uses[connection] ?? []
        let position = kept.firstIndex { ($0.leasedAt, $0.returnedBy) < (use.leasedAt, use.returnedBy) } ?? kept.count
        guard position < Self.keptUses else { return }
        kept.insert(use, at: position)
        if kept.count > Self.keptUses { kept.removeLast() }
        uses[connection] = kept
    }

    private mutating func add(_ error: FailureDescription?, _ connection: Int?, _ leasedAt: Int64?, _ event: Event) {
        guard let error, let connection, let leasedAt, [.begin, .query, .commit].contains(error.phase),
            ["session-ended", "connection-lost"].contains(error.failureClass)
        else { return }
        let failure = Failure(
            leasedAt: leasedAt, at: event.moment, process: event.process, function: event.function,
            failureClass: error.failureClass + (error.code.map { " (\($0))" } ?? ""))
        failures[Int64(connection)] = failures[Int64(connection)].map { max($0, failure) } ?? failure
    }
}
