package import RigModel

/// Retries do not multiply the load.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct RetryStorm: Checker {
    package static let shape = Shape(
        name: "retry-storm", summary: "attempts for each operation in any window of time stay under a factor",
        parameters: [
            Parameter(
                "factor", .count,
                summary:
                    "attempts for each operation, on average; left out: one more than the pool's retry-attempts, or 3"
            ),
            Parameter("window", .duration, default: .duration(.seconds(5)), summary: "length of the sliding window"),
        ])

    package static let explanation = Explanation(
        claims: """
            In every sliding window of `window` all operations that ended have together fewer than `factor` attempts
            for each: one more than the pool's own policy allows (3 where it tells none), if the scenario gives no
            other. A window with fewer attempts than an ordinary one of the phase `steady` is no storm, however
            often each was tried: the server has less to do than usual.
            """,
        needs: """
            An operation that failed or was retried, else unknown: nothing could storm.
            """,
        cannotSee: """
            When exactly an attempt was made: all of an operation count where it ended; connects (see the bounds of
            connects in flight).
            """)

    private struct Second: Sendable {
        var operations = 0
        var attempts = 0
        /// The first completion that had been retried.
        var firstRetried = Int.max
    }

    private let givenFactor: Int?
    private let length: Int64
    private var faults = FaultWindows()
    private var pool = PoolLimits()
    private var seconds: [Int64: Second] = [:]
    private var retried = 0
    private var failed = 0

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        givenFactor = parameters.count("factor").map { max(1, $0) }
        let window = (parameters.duration("window") ?? .seconds(5)).wholeNanoseconds
        length = min(max(1, window / 1_000_000_000), 3600)
    }

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        pool.observe(event)
        guard let completion = event.completion else { return }
        let attempts = max(1, completion.attempt, completion.attempts.count)
        if event.kind != .ok { failed += 1 }
        if attempts > 1 { retried += 1 }
        let second = event.time / 1_000_000_000
        seconds[second, default: Second()].operations += 1
        seconds[second, default: Second()].attempts += attempts
        if attempts > 1 {
            seconds[second, default: Second()].firstRetried = min(
                seconds[second]?.firstRetried ?? .max, event.index)
        }
    }

    package mutating func merge(_ other: RetryStorm) {
        faults.merge(other.faults)
        pool.merge(other.pool)
        retried += other.retried
        failed += other.failed
        seconds.merge(other.seconds) {
            Second(
                operations: $0.operations + $1.operations, attempts: $0.attempts + $1.attempts,
                firstRetried: min($0.firstRetried, $1.firstRetried))
        }
    }

    package func finish() -> InvariantResult {
        let ordinary = ordinaryAttempts
        let factor = factor
        var storms: [Storm] = []
        var worst = 1.0
        for begin in (seconds.keys.min() ?? 0)...max(seconds.keys.min() ?? 0, seconds.keys.max() ?? 0) {
            let window = sum(from: begin)
            guard window.operations > 0, window.attempts >= max(Self.few, ordinary) else { continue }
            let ratio = Double(window.attempts) / Double(window.operations)
            worst = max(worst, ratio)
            guard window.attempts >= factor * window.operations else { continue }
            if let last = storms.indices.last, storms[last].end >= begin {
                storms[last].end = begin + length
                storms[last].event = min(storms[last].event, window.firstRetried)
                if ratio > storms[last].ratio { storms[last].peak(ratio, window.operations, window.attempts) }
            } else {
                storms.append(
                    Storm(
                        begin: begin, end: begin + length, ratio: ratio, operations: window.operations,
                        attempts: window.attempts, event: window.firstRetried))
            }
        }
        var findings = Findings()
        findings.add(storms.map(finding))
        return .judged(
            Self.shape.name, findings,
            unknown: retried + failed == 0 ? "no operation ever failed, so there was nothing to retry" : nil,
            facts: "\(counted(retried, "operation")) retried, at most \(Self.words(worst)) attempts for each in "
                + "\(TimeText.words(nanoseconds: length * 1_000_000_000))",
            measured: [
                "retried": JSONValue(retried), "failed": JSONValue(failed), "storms": JSONValue(storms.count),
                "worst_factor": .double((worst * 1e3).rounded() / 1e3),
            ])
    }

    private struct Storm {
        var begin: Int64
        var end: Int64
        var ratio: Double
        var operations: Int
        var attempts: Int
        var event: Int

        mutating func peak(_ ratio: Double, _ operations: Int, _ attempts: Int) {
            (self.ratio, self.operations, self.attempts) = (ratio, operations, attempts)
        }
    }

    private var factor: Int {
        let allowed = pool.retry == "none" ? 1 : pool.count("retry_attempts")
        return givenFactor ?? allowed.map { Int(min(max($0, 1), 1_000_000)) + 1 } ?? 3
    }

    /// A handful of attempts is no storm.
    private static let few = 50

    /// Attempts in a window of the steady phase, on average; 0 when there was no such phase.
    private var ordinaryAttempts: Int {
        guard let span = faults.timeline.span(ofPhase: "steady") else { return 0 }
        let first = span.lowerBound / 1_000_000_000
        let last = max(first + 1, span.upperBound / 1_000_000_000)
        return (first..<last).reduce(0) { $0 + (seconds[$1]?.attempts ?? 0) } * Int(length) / Int(last - first)
    }

    private func sum(from begin: Int64) -> Second {
        (begin..<begin + length).reduce(into: Second()) { sum, number in
            guard let second = seconds[number] else { return }
            sum.operations += second.operations
            sum.attempts += second.attempts
            sum.firstRetried = min(sum.firstRetried, second.firstRetried)
        }
    }

    private func finding(_ storm: Storm) -> Finding {
        let (from, to) = (storm.begin * 1_000_000_000, storm.end * 1_000_000_000)
        return Finding(
            title: "Retries made \(Self.words(storm.ratio)) attempts of each operation",
            expected: "fewer than \(factor) for each operation in any "
                + TimeText.words(nanoseconds: length * 1_000_000_000),
            seen: "\(storm.attempts) attempts for \(counted(storm.operations, "operation")) at the worst, between "
                + "\(TimeText.words(nanoseconds: from)) and \(TimeText.words(nanoseconds: to))",
            events: storm.event == .max ? [] : [storm.event], time: from, activeFault: faults.words(from: from, to: to))
    }

    private static func words(_ ratio: Double) -> String { String((ratio * 10).rounded() / 10) }
}
