package import RigModel

/// The deadline of an operation is the operation's, not each attempt's.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct DeadlineKept: Checker {
    package static let shape = Shape(
        name: "deadline", summary: "an operation with its retries ends within the retry budget and one more attempt",
        parameters: [
            Parameter(
                "tolerance", .duration, default: .duration(.milliseconds(500)),
                summary: "how much later an operation may end")
        ])

    package static let explanation = Explanation(
        claims: """
            An operation with all its attempts takes at most the retry budget and one more attempt. The policy begins
            no attempt after the budget, so beyond it lies only the last attempt, and that took no longer than the
            longest acquire, the longest statements and the longest release of the operation, which it tells itself;
            nor longer than the pool's own limits for them. How long the client held the connection on purpose and how
            long the server was asked about a COMMIT are left out; `tolerance` and the time in which the machine stood
            still are added.
            """,
        needs: """
            `pool/configured` with `retry_budget_ns`, and an operation that was retried; with the policy `none` any
            operation, and the pool's limits of acquire, statement and release.
            """,
        cannotSee: """
            How long a single attempt took; in a transaction five statements as long as the longest are granted.
            """)

    /// What one use has at most: BEGIN, two statements, COMMIT or ROLLBACK, and one to ask.
    private static let mostStatements: Int64 = 5
    private static let singleStatement: Set = ["append", "read", "read-row"]

    private let tolerance: Int64
    private var faults = FaultWindows()
    private var stalls = StallLog()
    private var pool = PoolLimits()
    private var open = OpenOperations()
    /// Retried, by how much longer they took than their own longest calls.
    private var retried = Smallest<Incident>(limit: 300)
    /// By their whole time; those of one statement apart, and those that were retried, since less or more is granted to them.
    private var single = Smallest<Incident>(limit: 300)
    private var several = Smallest<Incident>(limit: 300)
    private var singleRetried = Smallest<Incident>(limit: 300)
    private var severalRetried = Smallest<Incident>(limit: 300)
    private var longest: Int64 = 0

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        tolerance = (parameters.duration("tolerance") ?? .milliseconds(500)).wholeNanoseconds
    }

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        stalls.observe(event)
        pool.observe(event)
        guard let begun = open.observe(event), let completion = event.completion else { return }
        var whole = event.time - begun.time
        if let notes = completion.notes { whole -= notes.nanoseconds("held_ns") ?? 0 }
        let attempts = max(completion.attempt, completion.attempts.count)
        for attempt in completion.attempts { whole -= attempt.doubt?.askedNanoseconds ?? 0 }
        longest = max(longest, whole)
        let isSingle = Self.singleStatement.contains(event.function)
        let incident = Incident(event, weight: whole, since: begun.time, words: String(attempts))
        guard attempts > 1 else {
            if isSingle { single.add(incident) } else { several.add(incident) }
            return
        }
        if isSingle { singleRetried.add(incident) } else { severalRetried.add(incident) }
        let statements = (completion.queryNanoseconds ?? 0)
            .multipliedReportingOverflow(by: isSingle ? 1 : Self.mostStatements).partialValue
        let own = (completion.acquireNanoseconds ?? 0) &+ statements &+ (completion.releaseNanoseconds ?? 0)
        var beyond = incident
        beyond.weight = whole &- own
        retried.add(beyond)
    }

    package mutating func merge(_ other: DeadlineKept) {
        faults.merge(other.faults)
        stalls.merge(other.stalls)
        pool.merge(other.pool)
        open.merge(other.open)
        retried.merge(other.retried)
        single.merge(other.single)
        several.merge(other.several)
        singleRetried.merge(other.singleRetried)
        severalRetried.merge(other.severalRetried)
        longest = max(longest, other.longest)
    }

    package func finish() -> InvariantResult {
        var findings = Findings()
        var reported: Set<Int> = []
        if let budget {
            findings.add(
                retried.elements.compactMap { incident in
                    let stalled = stalls.stalled(from: incident.since, to: incident.time)
                    guard incident.weight > budget + tolerance + stalled else { return nil }
                    reported.insert(incident.index)
                    return incident.finding(
                        "Retries went on past the deadline of their operation",
                        expected:
                            "at most \(limitWords(budget, tolerance: tolerance, stalled: stalled)) and the time of "
                            + "one attempt",
                        seen: "\(TimeText.words(nanoseconds: incident.time - incident.since)) in \(incident.words) "
                            + "attempts, which is \(TimeText.words(nanoseconds: incident.weight)) more than one attempt",
                        faults)
                })
            findings.add(beyondLimits(single, statements: 1, 0, except: reported))
            findings.add(beyondLimits(several, statements: Self.mostStatements, 0, except: reported))
            findings.add(beyondLimits(singleRetried, statements: 1, budget, except: reported))
            findings.add(beyondLimits(severalRetried, statements: Self.mostStatements, budget, except: reported))
        }
        return .judged(
            Self.shape.name, findings, unknown: reason,
            facts: "\(counted(retried.total, "operation")) retried, the longest operation took "
                + "\(TimeText.words(nanoseconds: longest)) (retry budget "
                + "\(budget.map { TimeText.words(nanoseconds: $0) } ?? "unknown"))",
            measured: [
                "retried": JSONValue(retried.total), "longest_ms": .milliseconds(longest),
                "budget_ms": .milliseconds(budget),
                "most_beyond_one_attempt_ms": .milliseconds(retried.elements.first?.weight),
            ])
    }

    private var budget: Int64? { pool.retry == "none" ? 0 : pool.nanoseconds("retry_budget_ns") }

    private var ended: Int { single.total + several.total + retried.total }

    /// What one attempt with one statement, and each further statement, may take.
    private var attemptLimits: (one: Int64, statement: Int64)? {
        guard let acquire = pool.nanoseconds("acquire_timeout_ns"),
            let statement = pool.nanoseconds("statement_timeout_ns"), statement < Event.timeLimit / 64,
            let release = pool.nanoseconds("release_timeout_ns")
        else { return nil }
        return (acquire + statement + release, statement)
    }

    private var reason: String? {
        if budget == nil { return "the pool never told its retry budget" }
        if retried.total > 0 { return nil }
        if pool.retry == "none" {
            if ended == 0 { return "no operation ever ended" }
            return attemptLimits == nil ? "the pool never told its limits of acquire, statement and release" : nil
        }
        return "no operation was ever retried"
    }

    /// Operations against the sum of the pool's own limits for one attempt; not judged where the pool has none.
    private func beyondLimits(
        _ incidents: Smallest<Incident>, statements: Int64, _ budget: Int64, except reported: Set<Int>
    ) -> [Finding] {
        guard let attemptLimits else { return [] }
        return incidents.elements.compactMap { incident in
            let limit = budget + attemptLimits.one + (statements - 1) * attemptLimits.statement
            let stalled = stalls.stalled(from: incident.since, to: incident.time)
            guard incident.weight > limit + tolerance + stalled, !reported.contains(incident.index) else { return nil }
            return incident.finding(
                "An operation took \(TimeText.words(nanoseconds: incident.weight))",
                expected: "at most \(limitWords(limit, tolerance: tolerance, stalled: stalled))",
                seen: "\(TimeText.words(nanoseconds: incident.weight)) in \(incident.words) attempts", faults)
        }
    }
}
