package import RigModel

/// Retries follow the policy that the pool was given.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct RetryPolicyLimits: Checker {
    package static let shape = Shape(
        name: "retry-policy", summary: "attempts, pauses and their sum stay within the policy, with full jitter",
        parameters: [
            Parameter(
                "tolerance", .duration, default: .duration(.milliseconds(5)),
                summary: "how much longer than drawn a pause may be written down")
        ])

    package static let explanation = Explanation(
        claims: """
            No operation has more attempts than configured (one with `none`); the pause after attempt n lies within
            `min(cap, base × 2ⁿ⁻¹)` plus `tolerance`; the pauses of one operation sum up to at most the budget; and
            over a hundred pauses or more they are drawn from the whole of that range (full jitter): their mean is
            near its middle, and they spread. Pauses without jitter bring all clients back at the same moment.
            """,
        needs: """
            `pool/configured` with the policy, and an operation that was retried; with the policy `none` one that
            failed.
            """,
        cannotSee: """
            Pauses that the pool does not write down; what lies between two attempts beside the pause (see
            `deadline`); whether a retry was right (see `retry-correctness`).
            """)

    private let tolerance: Int64
    private var faults = FaultWindows()
    private var stalls = StallLog()
    private var pool = PoolLimits()
    private var pauses = RetryPauses()
    private var mostAttempts = Smallest<Incident>(limit: 200)
    private var longestSums = Smallest<Incident>(limit: 200)
    private var operationsByAttempts: [Int: Int] = [:]
    private var failed = 0

    package init(_ parameters: Parameters) {
        tolerance = (parameters.duration("tolerance") ?? .milliseconds(5)).wholeNanoseconds
    }

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        stalls.observe(event)
        pool.observe(event)
        guard let completion = event.completion else { return }
        if event.kind != .ok { failed += 1 }
        let attempts = max(completion.attempt, completion.attempts.count)
        guard attempts > 1 else { return }
        operationsByAttempts[min(attempts, 1000), default: 0] += 1
        mostAttempts.add(Incident(event, weight: Int64(attempts)))
        var sum: Int64 = 0
        for attempt in completion.attempts {
            guard let pause = attempt.delayNanoseconds else { continue }
            sum = min(sum + min(max(pause, 0), Event.timeLimit / 2), Event.timeLimit / 2)
            pauses.add(pause, after: attempt.number, event)
        }
        longestSums.add(Incident(event, weight: sum, since: event.time - sum))
    }

    package mutating func merge(_ other: RetryPolicyLimits) {
        faults.merge(other.faults)
        stalls.merge(other.stalls)
        pool.merge(other.pool)
        pauses.merge(other.pauses)
        mostAttempts.merge(other.mostAttempts)
        longestSums.merge(other.longestSums)
        operationsByAttempts.merge(other.operationsByAttempts, uniquingKeysWith: +)
        failed += other.failed
    }

    package func finish() -> InvariantResult {
        var findings = Findings()
        if let allowed {
            findings.add(
                mostAttempts.elements.filter { $0.weight > allowed }.map {
                    $0.finding(
                        "An operation was tried \($0.weight) times",
                        expected: "at most \(counted(allowed, "attempt")) (retry policy \(pool.retry ?? "unknown"))",
                        seen: "\($0.weight) attempts", faults)
                }, total: operationsByAttempts.reduce(0) { $1.key > allowed ? $0 + $1.value : $0 })
        }
        if let budget = pool.nanoseconds("retry_budget_ns"), pool.retry != "none" {
            findings.add(longestSums.elements.compactMap { sumFinding($0, budget) })
        }
        if let base, let cap {
            findings.add(pauses.longest.compactMap { pauseFinding($0, base, cap) })
            if let words = pauses.shapeProblem(base: base, cap: cap), let first = pauses.first {
                findings.add([
                    Finding(
                        title: "The pauses before retries are not drawn with full jitter",
                        expected: "random over the whole of 0…min(\(TimeText.words(nanoseconds: cap)), "
                            + "\(TimeText.words(nanoseconds: base)) × 2ⁿ⁻¹), in the middle of it on average",
                        seen: words, events: [first.index], time: first.time,
                        activeFault: faults.words(at: first.time))
                ])
            }
        }
        let most = operationsByAttempts.keys.max() ?? 1
        let longest = TimeText.words(nanoseconds: longestSums.elements.first?.weight ?? 0)
        return .judged(
            Self.shape.name, findings, unknown: reason,
            facts: "\(counted(retried, "operation")) retried, at most \(counted(most, "attempt")) and \(longest) of "
                + "pauses" + (base == nil ? "; the pool did not tell its back-off" : ""),
            measured: [
                "retried": JSONValue(retried), "most_attempts": JSONValue(most),
                "longest_pauses_ms": .milliseconds(longestSums.elements.first?.weight),
                "mean_of_range": base.flatMap { base in cap.flatMap { pauses.mean(base: base, cap: $0) } }
                    .map { .double(($0 * 1e3).rounded() / 1e3) } ?? .null,
            ])
    }

    private var retried: Int { operationsByAttempts.values.reduce(0, +) }
    private var allowed: Int64? { pool.retry == "none" ? 1 : pool.count("retry_attempts") }
    private var base: Int64? { pool.nanoseconds("retry_base_delay_ns") }
    private var cap: Int64? { pool.nanoseconds("retry_max_delay_ns") }

    private var reason: String? {
        if pool.retry == nil { return "the pool never told its retry policy" }
        if retried > 0 { return nil }
        return pool.retry == "none" && failed > 0 ? nil : "no operation was ever retried"
    }

    private func sumFinding(_ incident: Incident, _ budget: Int64) -> Finding? {
        guard incident.weight > budget + tolerance + stalls.stalled(from: incident.since, to: incident.time) else {
            return nil
        }
        let sum = TimeText.words(nanoseconds: incident.weight)
        return incident.finding(
            "Retries waited \(sum) in all",
            expected: "at most the budget of \(TimeText.words(nanoseconds: budget)) for one operation",
            seen: "pauses of \(sum)", faults)
    }

    private func pauseFinding(_ incident: Incident, _ base: Int64, _ cap: Int64) -> Finding? {
        guard let attempt = Int(incident.words) else { return nil }
        let bound = RetryPauses.bound(after: attempt, base: base, cap: cap)
        let stalled = stalls.stalled(from: incident.since, to: incident.time)
        guard incident.weight > bound + tolerance + stalled else { return nil }
        let pause = TimeText.words(nanoseconds: incident.weight)
        return incident.finding(
            "A pause of \(pause) after attempt \(attempt)",
            expected: "at most \(limitWords(bound, tolerance: tolerance, stalled: stalled)) after attempt \(attempt)",
            seen: pause, faults)
    }
}
