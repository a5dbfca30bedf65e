import ConnectionPool
import RigModel
import Threading

/// How one attempt went, as the adapter's answer says it, and back. Pure.
///
/// Beside the members of docs/adapter.md our own pool tells `conn`, `query_us`, `release_us`, `leased_ns` and `returned_ns` (on
/// the monotonic clock of the machine), `outcome` (what may have
/// happened, by the driver's own knowledge of what it sent) and `doubt` (a COMMIT without an answer, and what the server said when it was asked).
struct AdapterAnswer: Equatable {
    struct Failure: Equatable {
        var phase: OperationPhase
        /// A ``FailureCause``'s name, or the adapter's own word for it.
        var failureClass: String
        var sqlState: String?
        var message: String
        /// By the pool's own knowledge; `nil`: the outcome table says it.
        var outcome: Outcome?
    }

    var results: [SQLResult] = []
    /// `nil`: it was done.
    var failure: Failure?
    var doubt: CommitDoubt?
    var acquire: Duration?
    var query: Duration?
    var release: Duration?
    var total: Duration?
    var connection: Int?
    var backendPID: Int?
    /// When the connection was handed out and given back, on this machine's monotonic clock.
    var leasedAt: MonotonicInstant?
    var returnedAt: MonotonicInstant?

    init() {}

    // MARK: Of our own pool

    /// What our own pool came to in one attempt.
    init(_ report: UseReport, total: Duration) {
        self.total = total
        results = report.results
        let completion = report.completion
        acquire = completion.acquireNanoseconds.map { .nanoseconds($0) }
        query = completion.queryNanoseconds.map { .nanoseconds($0) }
        release = completion.releaseNanoseconds.map { .nanoseconds($0) }
        connection = completion.connection
        backendPID = completion.backendPID
        leasedAt = completion.leasedAt.map { MonotonicInstant(nanoseconds: UInt64(clamping: $0)) }
        returnedAt = completion.returnedAt.map { MonotonicInstant(nanoseconds: UInt64(clamping: $0)) }
        doubt = completion.attempts.last?.doubt
        // One that was done after all by the server's word keeps its failure in the attempt.
        guard let error = completion.error ?? completion.attempts.last?.error else { return }
        failure = Failure(
            phase: error.phase, failureClass: error.failureClass, sqlState: error.code, message: error.message,
            outcome: report.outcome)
    }

    func line(id: JSONValue) -> JSONValue {
        var members: [JSONValue.Member] = [.init("id", id)]
        if let failure {
            members.append(.init("status", failure.failureClass == FailureCause.cancelled.name ? "cancelled" : "error"))
            members += [
                .init("phase", .string(failure.phase.rawValue)), .init("class", .string(failure.failureClass)),
                .init("sqlstate", JSONValue(failure.sqlState)), .init("message", .string(failure.message)),
                .init("outcome", JSONValue(failure.outcome?.rawValue)),
            ]
        } else {
            members.append(.init("status", "ok"))
        }
        if failure == nil || doubt != nil {
            members.append(
                .init(
                    "rows",
                    .array(
                        results.map { result in
                            .array(result.rows.map { row in .array(row.map { $0.json }) })
                        })))
        }
        if let doubt { members.append(.init("doubt", doubt.jsonValue)) }
        for (name, duration) in [
            ("acquire_us", acquire), ("query_us", query), ("release_us", release), ("total_us", total),
        ] {
            if let duration { members.append(.init(name, JSONValue(duration.nanoseconds / 1_000))) }
        }
        if let connection { members.append(.init("conn", JSONValue(connection))) }
        if let backendPID { members.append(.init("pid", JSONValue(backendPID))) }
        if let leasedAt { members.append(.init("leased_ns", JSONValue(leasedAt.nanoseconds))) }
        if let returnedAt { members.append(.init("returned_ns", JSONValue(returnedAt.nanoseconds))) }
        return .object(members)
    }

    // MARK: Of any adapter

    /// - Returns: `nil` when the line is no answer to a use.
    init?(_ line: JSONValue) {
        switch line["status"]?.stringValue {
        case "ok": break
        case "error", "cancelled":
            let isCancelled = line["status"]?.stringValue == "cancelled"
            failure = Failure(
                phase: line["phase"]?.stringValue.flatMap(OperationPhase.init) ?? .query,
                failureClass: isCancelled ? FailureCause.cancelled.name : line["class"]?.stringValue ?? "unknown",
                sqlState: line["sqlstate"]?.stringValue, message: line["message"]?.stringValue ?? "no message",
                outcome: line["outcome"]?.stringValue.flatMap(Outcome.init))
        default: return nil
        }
        for rows in line["rows"]?.arrayValue ?? [] {
            var result = SQLResult()
            for row in rows.arrayValue ?? [] {
                result.rows.append((row.arrayValue ?? []).map { SQLValue(json: $0) ?? .text($0.compactText) })
            }
            results.append(result)
        }
        func duration(_ name: String) -> Duration? {
            line[name]?.doubleValue.map { .nanoseconds(Int64(min(max($0, 0), 1e15) * 1_000)) }
        }
        acquire = duration("acquire_us")
        query = duration("query_us")
        release = duration("release_us")
        total = duration("total_us")
        connection = line["conn"]?.intValue.map { Int($0) }
        backendPID = line["pid"]?.intValue.map { Int($0) }
        leasedAt = line["leased_ns"]?.intValue.map { MonotonicInstant(nanoseconds: UInt64(clamping: $0)) }
        returnedAt = line["returned_ns"]?.intValue.map { MonotonicInstant(nanoseconds: UInt64(clamping: $0)) }
        if let end = line["doubt"]?["end"]?.stringValue.flatMap(CommitDoubt.End.init) {
            doubt = CommitDoubt(
                transactionID: line["doubt"]?["transaction"]?.stringValue, end: end,
                askedNanoseconds: line["doubt"]?["asked_ns"]?.intValue ?? 0)
        }
    }

    /// The attempt in the rig's words: the outcome by the one table, unless the pool knows better.
    func result(_ request: UseRequest) -> AttemptResult {
        var result = AttemptResult(results: results, doubt: doubt)
        guard let failure else { return result }
        let cause = FailureCause(
            failureClass: failure.failureClass, sqlState: failure.sqlState, phase: failure.phase)
        result.failure = UseFailure(
            cause, during: failure.phase, message: failure.message, requestSent: true, request)
        if let outcome = failure.outcome { result.failure?.outcome = outcome }
        return result
    }

    /// The calls of this attempt. What the adapter does not tell is not judged, but for the wait for a connection of an
    /// attempt that got none: that was the whole time.
    func times() -> CallTimes {
        CallTimes(
            acquire: acquire ?? (failure?.phase == .acquire ? total : nil), query: query, release: release,
            connection: connection, backendPID: backendPID, leasedAt: leasedAt, returnedAt: returnedAt)
    }
}

extension FailureCause {
    /// From the words of an adapter. Our own pool's are exact; of another's the SQLSTATE says most, and what is unknown counts
    /// as a lost connection, of which nothing may be concluded.
    init(failureClass: String, sqlState: String?, phase: OperationPhase) {
        let known: [FailureCause] = [
            .connectionLost, .timedOut, .cancelled, .poolRefused, .protocolViolation,
            .connectFailed(sqlState: sqlState),
        ]
        if let cause = known.first(where: { $0.name == failureClass }) {
            self = cause
            return
        }
        let isTimeout = failureClass.lowercased().contains("timeout")
        switch (failureClass, sqlState) {
        case ("server-error", let state?): self = .server(sqlState: state)
        case ("session-ended", let state?): self = .sessionEnded(sqlState: state)
        case ("busy", let code?): self = .busy(code: code)
        case ("sqlite-error", let code?): self = .embedded(code: code)
        case (_, let state?) where Self.endsSession(state): self = .sessionEnded(sqlState: state)
        case (_, let state?): self = .server(sqlState: state)
        case _ where isTimeout: self = .timedOut
        case _ where phase == .acquire || phase == .connect: self = .connectFailed(sqlState: nil)
        default: self = .connectionLost
        }
    }

    /// These come with FATAL: class 08, operator intervention, and the timeouts that end a session.
    private static func endsSession(_ state: String) -> Bool {
        state.hasPrefix("08") || (state.hasPrefix("57P") && state != "57P04") || state == "25P03"
    }
}
