import RigModel

/// What the retry policy did, against what no policy may do and against its own limits. A mergeable fold in bounded
/// memory.
struct RetryRules: Sendable {
    /// The limits that the pool was configured with.
    private struct Limits: Sendable {
        var index: Int
        var policy: String
        var attempts: Int64?
        var budget: Int64?
    }

    /// One operation that was retried in a way that is wrong, or may turn out to be.
    private struct Case: Comparable, Sendable {
        /// Worst first: the number of attempts or the nanoseconds; 0 where every case is as bad as the other.
        var weight: Int64 = 0
        var index: Int
        var time: Int64
        var beginIndex: Int
        var beginTime: Int64
        var function: String
        var process: Event.Process
        var words = ""

        static func < (a: Case, b: Case) -> Bool { a.weight != b.weight ? a.weight > b.weight : a.index < b.index }
    }

    private var pairing = OperationPairing()
    private var limits: Limits?
    private var doubtful = Smallest<Case>(limit: 50)
    private var insideTransaction = Smallest<Case>(limit: 50)
    private var mostAttempts = Smallest<Case>(limit: 200)
    private var longestDelays = Smallest<Case>(limit: 200)
    /// Operations by their number of attempts.
    private var operationsByAttempts: [Int: Int] = [:]
    /// Attempts whose COMMIT was not answered, by what the server said when it was asked.
    private(set) var doubts: [CommitDoubt.End: Int] = [:]

    mutating func observe(_ event: Event) {
        if event.process == .pool, event.function == "configured" {
            let new = Limits(
                index: event.index, policy: event.value["retry"]?.stringValue ?? "unknown",
                attempts: event.value["retry_attempts"]?.intValue, budget: event.value.nanoseconds("retry_budget_ns"))
            limits = limits ?? new
            return
        }
        guard let ended = pairing.observe(event), let completion = event.completion else { return }
        let attempts = max(completion.attempt, completion.attempts.count)
        operationsByAttempts[attempts, default: 0] += 1
        for doubt in completion.attempts.compactMap(\.doubt) { doubts[doubt.end, default: 0] += 1 }
        if completion.attempts.isEmpty && attempts <= 1 { return }
        note(completion, attempts, ended)
    }

    mutating func merge(_ other: RetryRules) {
        pairing.merge(other.pairing)
        if let theirs = other.limits { limits = limits.map { $0.index <= theirs.index ? $0 : theirs } ?? theirs }
        doubtful.merge(other.doubtful)
        insideTransaction.merge(other.insideTransaction)
        mostAttempts.merge(other.mostAttempts)
        longestDelays.merge(other.longestDelays)
        doubts.merge(other.doubts, uniquingKeysWith: +)
        operationsByAttempts.merge(other.operationsByAttempts, uniquingKeysWith: +)
    }

    /// Operations that were tried more than once.
    var retriedCount: Int { operationsByAttempts.reduce(0) { $1.key > 1 ? $0 + $1.value : $0 } }

    /// How the COMMITs without an answer ended; `nil` when there was none.
    var doubtWords: String? {
        let total = doubts.values.reduce(0, +)
        guard total > 0 else { return nil }
        let ends = CommitDoubt.End.allCases.compactMap { end in doubts[end].map { "\($0) \(end.rawValue)" } }
        return "\(counted(total, "COMMIT")) without an answer, the server was asked: \(ends.joined(separator: ", "))"
    }

    /// Adds each class of violation.
    func report(to findings: inout Findings, _ faults: FaultWindows) {
        findings.add(
            doubtful.elements.map {
                finding(
                    $0, faults, title: "An operation was repeated although it may have happened",
                    expected: "only what certainly did not happen is repeated, or what may happen twice without harm")
            }, total: doubtful.total)
        findings.add(
            insideTransaction.elements.map {
                finding(
                    $0, faults, title: "A statement was repeated inside an open transaction",
                    expected: "a transaction is repeated as a whole, or not at all")
            }, total: insideTransaction.total)
        guard let limits else { return }
        let allowed = limits.policy == "none" ? 1 : limits.attempts
        if let allowed {
            let over = mostAttempts.elements.filter { $0.weight > allowed }
            findings.add(
                over.map {
                    finding(
                        $0, faults, title: "An operation was tried \($0.weight) times",
                        expected: "at most \(counted(allowed, "attempt")) (retry policy \(limits.policy))")
                }, total: operationsByAttempts.reduce(0) { $1.key > allowed ? $0 + $1.value : $0 })
        }
        if let budget = limits.budget, limits.policy != "none" {
            let over = longestDelays.elements.filter { $0.weight > budget }
            findings.add(
                over.map {
                    finding(
                        $0, faults,
                        title: "Retries waited \(TimeText.words(nanoseconds: $0.weight)) in all",
                        expected: "at most the budget of \(TimeText.words(nanoseconds: budget)) for one operation")
                })
        }
    }

    private mutating func note(_ completion: Completion, _ attempts: Int, _ ended: OperationPairing.Ended) {
        var item = Case(
            index: ended.event.index, time: ended.event.time, beginIndex: ended.begun.index,
            beginTime: ended.begun.time, function: ended.begun.function, process: ended.begun.process)
        for attempt in completion.attempts.dropLast() where attempt.outcome != .fail && !attempt.isIdempotent {
            let reason = attempt.error.map { " (\($0.code ?? $0.failureClass) during \($0.phase.rawValue))" } ?? ""
            item.words =
                "attempt \(attempt.number) ended in \(attempt.outcome.rawValue)\(reason), and attempt "
                + "\(attempt.number + 1) followed"
            doubtful.add(item)
            break
        }
        if let inside = completion.attempts.first(where: \.insideOpenTransaction) {
            item.words = "attempt \(inside.number) began inside the transaction of an earlier attempt"
            insideTransaction.add(item)
        }
        item.words = counted(attempts, "attempt")
        item.weight = Int64(attempts)
        mostAttempts.add(item)
        item.weight = completion.attempts.reduce(0) { sum, attempt in
            let (longer, overflow) = sum.addingReportingOverflow(attempt.delayNanoseconds ?? 0)
            return overflow ? .max : longer
        }
        longestDelays.add(item)
    }

    private func finding(_ item: Case, _ faults: FaultWindows, title: String, expected: String) -> Finding {
        Finding(
            title: title, expected: expected, seen: "`\(item.function)` of \(item.process.words): \(item.words)",
            events: [item.beginIndex, item.index], time: item.time,
            activeFault: faults.words(from: item.beginTime, to: item.time))
    }
}
