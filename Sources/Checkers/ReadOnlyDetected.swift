package import RigModel

/// A connection to a read-only server is not handed out again and again.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct ReadOnlyDetected: Checker {
    package static let shape = Shape(
        name: "read-only-detected", summary: "a connection to a read-only server is not handed out again and again",
        parameters: [
            Parameter("times", .count, default: .count(3), summary: "writes that one connection may refuse with 25006"),
            Parameter(
                "settle", .duration, default: .duration(.seconds(2)),
                summary: "how long after a heal refusals do not count"),
            Parameter("during-faults", .flag, default: .flag(false), summary: "count refusals during faults as well"),
        ])

    package static let explanation = Explanation(
        claims: """
            A connection whose server refuses writes (SQLSTATE 25006: the old primary after a failover, a standby) is
            not handed out again and again: once the faults are over, each one refuses at most `times` writes.

            While a fault is active, and for `settle` after it, no other server may take the writes, so refusals do
            not count; with `during-faults: true` all count.
            """,
        needs: """
            An answer 25006 on a connection that the client could name.
            """,
        cannotSee: """
            Whether another server would have taken the write, and attempts that did not name their connection.
            """)

    /// Answers 25006 of one connection: how many, and the latest few, latest first.
    private struct Refusals: Sendable {
        var count = 0
        var first: FaultTimeline.Moment
        var last: FaultTimeline.Moment

        mutating func merge(_ other: Refusals) {
            count += other.count
            first = min(first, other.first)
            last = max(last, other.last)
        }
    }

    private static let slice: Int64 = 100_000_000

    private let times: Int
    private let settle: Int64
    private let duringFaults: Bool
    private var surroundings = Surroundings()
    /// By connection, and by tenth of a second of the run.
    private var refusals: [Int: [Int64: Refusals]] = [:]
    private var nameless = 0

    package init(_ parameters: Parameters) {
        times = min(parameters.count("times") ?? 3, 1000)
        settle = parameters.nanoseconds("settle", default: .seconds(2))
        duringFaults = parameters.flag("during-faults") ?? false
    }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        guard let completion = event.completion, completion.error != nil || !completion.attempts.isEmpty else { return }
        let attempts = completion.attempts.filter { $0.error?.code == "25006" }
        if attempts.isEmpty {
            if completion.error?.code == "25006" { add(completion.connection, event) }
            return
        }
        // The last attempt is on the connection that the completion names.
        for attempt in attempts {
            let isLast = attempt.number == completion.attempts.last?.number
            add(attempt.connection ?? (isLast ? completion.connection : nil), event)
        }
    }

    package mutating func merge(_ other: ReadOnlyDetected) {
        surroundings.merge(other.surroundings)
        nameless += other.nameless
        for (connection, theirs) in other.refusals {
            for (slice, refusals) in theirs { add(refusals, connection, slice) }
        }
    }

    package func finish() -> InvariantResult {
        let often = refusals.sorted { $0.key < $1.key }.compactMap { connection, slices in
            let all = slices.sorted { $0.key < $1.key }.map(\.value)
            return worst(all).flatMap { finding(connection, $0, of: all.reduce(0) { $0 + $1.count }) }
        }
        var findings = Findings()
        findings.add(often)
        let reason: String? =
            !refusals.isEmpty
            ? nil
            : nameless > 0
                ? "\(counted(nameless, "write")) refused with 25006, but none named its connection"
                : "no write was ever refused with 25006"
        let all = refusals.values.reduce(0) { $0 + $1.values.reduce(0) { $0 + $1.count } }
        return .judged(
            Self.shape, findings, unless: reason,
            summary: "\(counted(refusals.count, "connection")) refused \(counted(all, "write")) with 25006; "
                + "\(often.count) more than \(counted(times, "time"))\(duringFaults ? "" : " once the faults were over")",
            measured: [
                "connections": JSONValue(refusals.count), "refused": JSONValue(all),
                "too_often": JSONValue(often.count),
                "nameless": JSONValue(nameless),
            ])
    }

    /// Those without a break by a fault in which most were refused; `nil` when all were refused during faults.
    private func worst(_ slices: [Refusals]) -> Refusals? {
        var worst: Refusals?
        var running: Refusals?
        for slice in slices {
            let from = running?.first.time ?? slice.first.time
            if var stretch = running, counts(from: from, to: slice.last.time) {
                stretch.merge(slice)
                running = stretch
            } else {
                running = counts(from: slice.first.time, to: slice.last.time) ? slice : nil
            }
            if let running, running.count > worst?.count ?? 0 { worst = running }
        }
        return worst
    }

    private func counts(from: Int64, to: Int64) -> Bool {
        duringFaults || !surroundings.hasFault(from: from - settle, to: to)
    }

    private mutating func add(_ connection: Int?, _ event: Event) {
        guard let connection else {
            nameless += 1
            return
        }
        let moment = event.moment
        add(Refusals(count: 1, first: moment, last: moment), connection, event.time / Self.slice)
    }

    private mutating func add(_ more: Refusals, _ connection: Int, _ slice: Int64) {
        var slices = refusals[connection, default: [:]]
        if var known = slices[slice] {
            known.merge(more)
            slices[slice] = known
        } else {
            slices[slice] = more
        }
        refusals[connection] = slices
    }

    private func finding(_ connection: Int, _ worst: Refusals, of all: Int) -> Finding? {
        guard worst.count > times else { return nil }
        return Finding(
            title: "Connection \(connection) to a read-only server was handed out again and again",
            expected: "closed after at most \(counted(times, "write")) refused with 25006"
                + (duringFaults ? "" : ", once the faults were over"),
            seen: "\(all) refused in all, \(worst.count) of them within \((worst.last.time - worst.first.time).words)",
            events: [worst.first.index, worst.last.index], time: worst.first.time,
            activeFault: surroundings.faults.words(from: worst.first.time, to: worst.last.time))
    }
}
