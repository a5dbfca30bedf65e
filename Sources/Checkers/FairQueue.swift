package import RigModel

/// Nobody starves while others are served.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct FairQueue: Checker {
    package static let shape = Shape(
        name: "fair-queue", summary: "no client waits long for a connection while many that asked later are served",
        parameters: [
            Parameter(
                "overtaken", .count, default: .count(100),
                summary: "how many that asked later may be served before one that waits"),
            Parameter("factor", .count, default: .count(50), summary: "the longest wait against the median"),
            Parameter(
                "tolerance", .duration, default: .duration(.milliseconds(100)),
                summary: "how much of a wait, at either end, may be the client's own delay"),
        ])

    package static let explanation = Explanation(
        claims: """
            Of the longest waits for a connection (in each second of the run the four longest of those that were
            served, and of those that gave up) none was overtaken by more than `overtaken` clients that had asked
            later; and of the same, while half of all clients wait a millisecond or more, and no fault is active, nobody
            waits `factor` times as long as half of the others do (and half a second). The first and the last
            `tolerance` of a wait do not count, since a client may be slow to ask and slow to notice that it was
            served; nor does the time in which the machine stood still.
            """,
        needs: """
            Clients that had to wait for a connection, and told when they got it (`leased_ns`); one pool.
            """,
        cannotSee: """
            The order within 20 ms; the waits of operations that were retried.
            """)

    /// A shorter wait is none: the connection was there.
    private static let noticeable: Int64 = 1_000_000
    private static let shortest: Int64 = 500_000_000
    private static let settle: Int64 = 5_000_000_000

    private let most: Int
    private let factor: Int64
    private let tolerance: Int64
    private var faults = FaultWindows()
    private var stalls = StallLog()
    private var flow = QueueFlow()
    private var acquires = AcquireSeconds()
    /// First attempts only; `since` is when they asked, `time` when they were served or gave up.
    private var waits = LongestWaits()
    private var noticed = 0
    private var limits = PoolLimits()

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        most = parameters.count("overtaken") ?? 100
        factor = Int64(clamping: max(1, parameters.count("factor") ?? 50))
        tolerance = (parameters.duration("tolerance") ?? .milliseconds(100)).wholeNanoseconds
    }

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        stalls.observe(event)
        flow.observe(event)
        acquires.observe(event)
        limits.observe(event)
        guard let completion = event.completion, let took = completion.acquireNanoseconds, took >= Self.noticeable
        else {
            return
        }
        noticed += 1
        guard completion.attempts.count <= 1 else { return }
        let gaveUp = completion.error?.phase == .acquire && completion.error?.failureClass == FailureCause.timedOut.name
        guard let end = completion.leasedAt ?? (gaveUp ? event.time : nil) else { return }
        var incident = Incident(event, weight: took, since: end - took, words: gaveUp ? "gave up" : "was served")
        incident.time = max(incident.since, end)
        waits.add(incident, gaveUp: gaveUp)
    }

    package mutating func merge(_ other: FairQueue) {
        faults.merge(other.faults)
        stalls.merge(other.stalls)
        flow.merge(other.flow)
        acquires.merge(other.acquires)
        waits.merge(other.waits)
        noticed += other.noticed
        limits.merge(other.limits)
    }

    package func finish() -> InvariantResult {
        // At the same time at most `tolerance` at either end counts: shorter waits cannot be unfair.
        let list = waits.elements.filter { $0.weight > 2 * tolerance }
        let sums = flow.sums
        let overtaken = list.map { wait in
            let stalled = stalls.stalled(from: wait.since, to: wait.time)
            return sums.servedOutOfTurn(from: wait.since + tolerance, to: wait.time - tolerance - stalled)
        }
        var findings = Findings()
        if pools <= 1 {
            findings.add(
                zip(list, overtaken).filter { $1 > most }.map { wait, count in
                    wait.finding(
                        "A client starved in the queue: at least \(count) that asked later were served before it",
                        expected: "at most \(most) served out of turn",
                        seen: "waited \(TimeText.words(nanoseconds: wait.weight)) and \(wait.words)", faults)
                })
        }
        let quiet = QuietTime(faults.timeline, settle: Self.settle)
        findings.add(
            zip(list, overtaken).filter { $1 > 0 && $1 <= most }.compactMap { wait, _ in tooLong(wait, quiet) })
        let longest = TimeText.words(nanoseconds: waits.longest)
        return .judged(
            Self.shape.name, findings, unknown: reason,
            facts: "\(counted(noticed, "client")) waited, at most \(longest); overtaken by at most "
                + counted(overtaken.max() ?? 0, "client"),
            measured: [
                "waited": JSONValue(noticed), "longest_ms": .milliseconds(waits.longest),
                "most_overtaken": JSONValue(overtaken.max() ?? 0),
                "median_ms": .milliseconds(acquires.sum(in: quiet).nanoseconds(atQuantile: 0.5)),
            ])
    }

    /// They stand side by side, each with a queue of its own.
    private var pools: Int64 { limits.count("instances") ?? 1 }

    private var reason: String? {
        if noticed == 0 { return "nobody ever had to wait for a connection" }
        if flow.servedCount == 0 { return "no client told when it got its connection" }
        return pools > 1 ? "\(pools) pools have a queue each, and the history does not say who waits in which" : nil
    }

    /// Against the median of the acquires of operations that ended in the same seconds.
    private func tooLong(_ wait: Incident, _ quiet: QuietTime) -> Finding? {
        guard wait.weight > Self.shortest, quiet.covers(from: wait.since, to: wait.time),
            let median = acquires.sum(from: wait.since, to: wait.time).nanoseconds(atQuantile: 0.5),
            median >= Self.noticeable
        else { return nil }
        let stalled = stalls.stalled(from: wait.since, to: wait.time)
        let limit = max(Self.shortest, median * factor)
        guard wait.weight > limit + stalled else { return nil }
        return wait.finding(
            "A client waited \(TimeText.words(nanoseconds: wait.weight)) while half of the others waited "
                + "\(TimeText.words(nanoseconds: median)) at most",
            expected: "at most \(limitWords(limit, stalled: stalled))",
            seen: "waited \(TimeText.words(nanoseconds: wait.weight)) and \(wait.words)", faults)
    }
}
