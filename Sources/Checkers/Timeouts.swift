package import RigModel

/// Nobody waits past a deadline: connect, acquire, statement, release and the pool's close stay within their own limits, and
/// every operation ends.
///
/// Time in which the machine stood still (`probe/stall`) during the operation is added to the tolerance: then the machine
/// was late, not the pool. What was forgiven is said in the summary.
///
/// Unknown where nothing was acquired, where the pool told no limit of anything that was called, and where the run ended and
/// nobody said that the pool was closed. A sort of calls without a limit is named in the summary.
package struct Timeouts: Checker {
    package static let shape = Shape(
        name: "timeouts",
        summary: "connect, acquire, statement, release and close stay within their limits, and every operation ends",
        parameters: [
            Parameter(
                "tolerance", .duration, default: .duration(.milliseconds(250)),
                summary: "how much later than its limit a call may return")
        ])

    package static let explanation = Explanation(
        claims: """
            Acquire, statement, release, the pool's close, and connects that succeeded, end within their own limits
            and `tolerance`, and every operation that began has an end. Time in which the machine stood still during an operation is added to the
            tolerance; the summary says how much was forgiven.
            """,
        needs: """
            Acquires; a limit of the pool's for acquires, statements or releases (the summary names what has none);
            the end of the run, and how long closing the pool took, unless the pool lives on (a window of a soak).
            """,
        cannotSee: """
            How an operation's time is divided among its attempts (see `deadline`): of each sort of call only the
            longest is told. How long a connect took that failed.
            """)

    private let tolerance: Int64
    private var faults = FaultWindows()
    private var stalls = StallLog()
    private var pairing = OperationPairing()
    private var acquires = CallTimes(.acquire)
    private var queries = CallTimes(.query)
    private var releases = CallTimes(.release)
    private var closes = CallTimes(.close)
    private var connects = CallTimes(.connect)
    /// The first `pool/configured`.
    private var configured: (index: Int, value: JSONValue)?
    private var sawEnd = false
    /// The pool lives on after the history.
    private var isKept = false

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        tolerance = (parameters.duration("tolerance") ?? .milliseconds(250)).wholeNanoseconds
    }

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        stalls.observe(event)
        if event.kind == .end { sawEnd = true }
        if event.process == .pool {
            observePool(event)
        } else if let ended = pairing.observe(event), let completion = event.completion {
            acquires.add(completion.acquireNanoseconds, ended)
            queries.add(completion.queryNanoseconds, ended)
            releases.add(completion.releaseNanoseconds, ended)
        }
    }

    private mutating func observePool(_ event: Event) {
        if event.function == "configured", configured == nil { configured = (event.index, event.value) }
        if event.function == "kept" { isKept = true }
        if event.function == "connection-opened", event.value["age_ns"] == nil,
            let took = event.value.nanoseconds("took_ns")
        {
            connects.addConnect(took, event)
        }
        if event.function == "closed", let took = event.value.nanoseconds("took_ns") {
            closes.addClose(took, limit: event.value.nanoseconds("limit_ns"), event)
        }
    }

    package mutating func merge(_ other: Timeouts) {
        faults.merge(other.faults)
        stalls.merge(other.stalls)
        pairing.merge(other.pairing)
        acquires.merge(other.acquires)
        queries.merge(other.queries)
        releases.merge(other.releases)
        closes.merge(other.closes)
        connects.merge(other.connects)
        sawEnd = sawEnd || other.sawEnd
        isKept = isKept || other.isKept
        if let theirs = other.configured, theirs.index < configured?.index ?? .max { configured = theirs }
    }

    package func finish() -> InvariantResult {
        let judged = [acquires, queries, releases, closes, connects].map { judge($0) }
        var findings = Findings()
        for calls in judged { findings.add(calls.findings, total: calls.over) }
        let open = pairing.neverEnded
        if runEnded { findings.add(open.prefix(InvariantResult.findingLimit).map(neverEnded), total: open.count) }

        let reason = nothingToJudge(open.count, judged)
        let verdict: Verdict = findings.isEmpty ? (reason == nil ? .valid : .unknown) : .invalid
        let summary =
            if findings.isEmpty, let reason {
                "not judged: \(reason)"
            } else {
                words(judged, neverEnded: open.count) + findings.remark
            }
        return InvariantResult(
            name: Self.shape.name, verdict: verdict, summary: summary, findings: findings.selection,
            measured: measured(judged, neverEnded: open.count))
    }

    // MARK: Judging

    /// One sort of calls against its limit.
    private struct Judged {
        var calls: CallTimes
        var limit: Int64?
        var findings: [Finding] = []
        /// Calls beyond the limit and all that was added to it; counts no further than the thousand worst calls.
        var over = 0
        /// Calls that were within the limit only because the machine stood still, and for how long it did.
        var forgivenCalls = 0
        var forgivenNanoseconds: Int64 = 0
    }

    private func judge(_ calls: CallTimes) -> Judged {
        var judged = Judged(calls: calls, limit: configured?.value.nanoseconds(calls.sort.limitKey))
        for call in calls.worst {
            guard let limit = call.limit ?? judged.limit else { continue }
            judged.limit = judged.limit ?? limit
            guard call.took > limit + tolerance else { continue }
            let stalled = stalls.stalled(from: call.from.time, to: call.to.time)
            if call.took > limit + tolerance + stalled {
                judged.over += 1
                judged.findings.append(finding(call, calls.sort, limit: limit, stalled: stalled))
            } else {
                judged.forgivenCalls += 1
                judged.forgivenNanoseconds = max(judged.forgivenNanoseconds, call.took - limit - tolerance)
            }
        }
        return judged
    }

    /// Only then is an operation without completion one that never ended, and not one that the history was cut off from.
    private var runEnded: Bool { sawEnd || faults.timeline.begin(ofPhase: "end") != nil }

    private static let clientSorts: Set<CallTimes.Sort> = [.acquire, .query, .release]

    private func nothingToJudge(_ open: Int, _ judged: [Judged]) -> String? {
        if acquires.count == 0 { return "no connection was ever acquired" }
        if configured == nil { return "the pool never told its limits" }
        if !judged.contains(where: { Self.clientSorts.contains($0.calls.sort) && $0.calls.count > 0 && $0.limit != nil }
        ) {
            return "the pool told no limit of its acquires, statements and releases"
        }
        if !runEnded && open > 0 {
            return "the history stops before the run's end, with \(counted(open, "operation")) in flight"
        }
        return runEnded && closes.count == 0 && !isKept
            ? "the run ended, and nobody said how long closing the pool took" : nil
    }

    private func finding(_ call: CallTimes.Call, _ sort: CallTimes.Sort, limit: Int64, stalled: Int64) -> Finding {
        let took = TimeText.words(nanoseconds: call.took)
        let extra = stalled > 0 ? " + \(TimeText.words(nanoseconds: stalled)) in which the machine stood still" : ""
        return Finding(
            title: "\(sort.subject) took \(took)",
            expected: "at most \(TimeText.words(nanoseconds: limit)) + \(TimeText.words(nanoseconds: tolerance)) "
                + "tolerance\(extra)",
            seen: "\(took)\(call.words)", events: call.events, time: call.from.time,
            activeFault: faults.words(from: call.from.time, to: call.to.time))
    }

    private func neverEnded(_ begun: OperationPairing.Begun) -> Finding {
        let waited = TimeText.words(nanoseconds: faults.timeline.lastTime - begun.time)
        return Finding(
            title: "An operation never ended", expected: "every operation ends in ok, fail or info",
            seen:
                "`\(begun.function)` of \(begun.process.words) was begun \(waited) before the last event and has no completion",
            events: [begun.index], time: begun.time,
            activeFault: faults.words(from: begun.time, to: faults.timeline.lastTime))
    }

    // MARK: Words

    private func words(_ judged: [Judged], neverEnded: Int) -> String {
        var parts: [String] = []
        let over = judged.reduce(0) { $0 + $1.over }
        if over > 0 { parts.append("\(counted(over, "call")) past the limit") }
        if neverEnded > 0 { parts.append("\(counted(neverEnded, "operation")) never ended") }
        for calls in judged where calls.calls.count > 0 {
            let limit = calls.limit.map { " of \(TimeText.words(nanoseconds: $0))" } ?? " (no limit told: not judged)"
            parts.append(
                "\(calls.calls.sort.rawValue) at most \(TimeText.words(nanoseconds: calls.calls.longest))\(limit)")
        }
        let forgiven = judged.reduce(0) { $0 + $1.forgivenCalls }
        if forgiven > 0 {
            let most = TimeText.words(nanoseconds: judged.map(\.forgivenNanoseconds).max() ?? 0)
            parts.append("up to \(most) forgiven in \(counted(forgiven, "call")), because the machine stood still")
        }
        return parts.joined(separator: ", ")
    }

    private func measured(_ judged: [Judged], neverEnded: Int) -> JSONValue {
        var members = judged.map { calls in
            JSONValue.Member(
                calls.calls.sort.rawValue,
                [
                    "count": JSONValue(calls.calls.count),
                    "max_ms": .milliseconds(calls.calls.count > 0 ? calls.calls.longest : nil),
                    "p99_ms": .milliseconds(calls.calls.p99), "limit_ms": .milliseconds(calls.limit),
                    "over": JSONValue(calls.over), "forgiven": JSONValue(calls.forgivenCalls),
                    "forgiven_ms": .milliseconds(calls.forgivenNanoseconds),
                ])
        }
        members.append(JSONValue.Member("stalls", JSONValue(stalls.count)))
        members.append(JSONValue.Member("never_ended", JSONValue(neverEnded)))
        return .object(members)
    }
}
