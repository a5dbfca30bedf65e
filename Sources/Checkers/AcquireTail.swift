package import RigModel

/// Nearly every acquire is quick while nothing is wrong.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct AcquireTail: Checker {
    package static let shape = Shape(
        name: "acquire-tail", summary: "p99.9 of acquire stays under a limit while no fault is active",
        parameters: [
            Parameter("limit", .duration, default: .duration(.milliseconds(500)), summary: "for p99.9 of acquire"),
            Parameter(
                "settle", .duration, default: .duration(.seconds(5)),
                summary: "how long after a heal acquires are not judged"),
        ])

    package static let explanation = Explanation(
        claims: """
            999 of 1000 acquires take at most `limit`, in the seconds from `steady` on in which no fault was active
            and none had been healed within `settle`. Seconds in which the machine stood still, and those right after,
            are left out; where too few acquires remain they count, and the longest stall is added to the limit.
            """,
        needs: """
            A thousand acquires in such seconds, else unknown: a tail cannot be told from fewer.
            """,
        cannotSee: """
            The one in a thousand (see timeouts and fair-queue); an operation's acquires but its longest. Durations
            are kept to 6 %, and the shorter end counts.
            """)

    private static let enough = 1000
    private let limit: Int64
    private let settle: Int64
    private var faults = FaultWindows()
    private var stalls = StallLog()
    private var acquires = AcquireSeconds()

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        limit = (parameters.duration("limit") ?? .milliseconds(500)).wholeNanoseconds
        settle = (parameters.duration("settle") ?? .seconds(5)).wholeNanoseconds
    }

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        stalls.observe(event)
        acquires.observe(event)
    }

    package mutating func merge(_ other: AcquireTail) {
        faults.merge(other.faults)
        stalls.merge(other.stalls)
        acquires.merge(other.acquires)
    }

    package func finish() -> InvariantResult {
        let quiet = QuietTime(faults.timeline, settle: settle)
        let calm = acquires.sum(in: quiet, exceptAfter: stalls.numbers(ofSlices: 1_000_000_000))
        let isCalm = calm.count >= Self.enough
        let sum = isCalm ? calm : acquires.sum(in: quiet)
        let allowance = isCalm ? 0 : stalls.longest
        let tail = sum.step(atQuantile: 0.999)
        var findings = Findings()
        if sum.count >= Self.enough, let tail, tail.lowerBound > limit + allowance {
            let slow = acquires.worst.filter {
                quiet.covers(from: $0.since, to: $0.time) && $0.weight > limit
            }
            findings.add([finding(tail.upperBound, sum, slow, allowance)])
        }
        return .judged(
            Self.shape.name, findings,
            unknown: sum.count < Self.enough
                ? "only \(counted(sum.count, "acquire")) outside of faults, and p99.9 needs \(Self.enough)" : nil,
            facts: "p99.9 \(Self.words(tail)) of \(sum.count) acquires outside of faults "
                + "(limit \(TimeText.words(nanoseconds: limit)), median \(Self.words(sum.step(atQuantile: 0.5))))",
            measured: [
                "count": JSONValue(sum.count), "p50_ms": .milliseconds(sum.nanoseconds(atQuantile: 0.5)),
                "p99_ms": .milliseconds(sum.nanoseconds(atQuantile: 0.99)),
                "p999_ms": .milliseconds(tail?.upperBound), "limit_ms": .milliseconds(limit),
            ])
    }

    private func finding(_ tail: Int64, _ sum: LatencySketch, _ slow: [Incident], _ allowance: Int64) -> Finding {
        let worst = slow.first.map { "; the longest took \(TimeText.words(nanoseconds: $0.weight)) in \($0.subject)" }
        return Finding(
            title: "p99.9 of acquire was \(TimeText.words(nanoseconds: tail)) while no fault was active",
            expected: "at most \(limitWords(limit, stalled: allowance))",
            seen: "\(TimeText.words(nanoseconds: tail)) over \(sum.count) acquires\(worst ?? "")",
            events: slow.prefix(5).map(\.index), time: slow.first?.since,
            activeFault: slow.first.map { faults.words(from: $0.since, to: $0.time) } ?? "none")
    }

    private static func words(_ step: ClosedRange<Int64>?) -> String {
        step.map { TimeText.words(nanoseconds: $0.upperBound) } ?? "unknown"
    }
}
