package import RigModel

/// A lone use after a quiet time succeeds, and soon.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct FreshAcquire: Checker {
    package static let shape = Shape(
        name: "fresh-acquire", summary: "a lone use after a quiet time succeeds, and soon",
        parameters: [
            Parameter("limit", .duration, default: .duration(.seconds(1)), summary: "how long the use may take"),
            Parameter(
                "settle", .duration, default: .duration(.seconds(2)),
                summary: "how long after a heal a use is not judged"),
        ])

    package static let explanation = Explanation(
        claims: """
            One use of the pool, after nobody had used it for a while, succeeds within `limit`. A burst would hide a
            slow first one, so the rig's probe is alone.

            Uses that a fault was active in, or that began less than `settle` after a heal, are not judged. Time in
            which the machine stood still is added to the limit. A use that was begun (`probe/lone-use-begun`) and had
            not ended when the load ended did not succeed.
            """,
        needs: """
            A lone use (`probe/lone-use`) that can be judged.
            """,
        cannotSee: """
            How a second use would have fared, nor what was wrong with a connection that the pool repaired in time.
            """)

    private struct Use: Comparable, Sendable {
        var at: FaultTimeline.Moment
        var quiet: Int64
        var took: Int64
        var outcome: String
        static func < (a: Use, b: Use) -> Bool { a.at < b.at }
        static func == (a: Use, b: Use) -> Bool { a.at == b.at }
    }

    private let limit: Int64
    private let settle: Int64
    private var surroundings = Surroundings()
    private var uses: [Use] = []
    /// Begun, with how long it had been quiet.
    private var begun: [(at: FaultTimeline.Moment, quiet: Int64)] = []

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        limit = parameters.nanoseconds("limit", default: .seconds(1))
        settle = parameters.nanoseconds("settle", default: .seconds(2))
    }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        if event.process == .probe, event.function == "lone-use-begun" {
            begun.append((event.moment, event.value.nanoseconds("quiet_ns") ?? 0))
        }
        guard event.process == .probe, event.function == "lone-use", let took = event.value.nanoseconds("took_ns"),
            let outcome = event.value["outcome"]?.stringValue
        else { return }
        uses.append(
            Use(at: event.moment, quiet: event.value.nanoseconds("quiet_ns") ?? 0, took: took, outcome: outcome))
    }

    package mutating func merge(_ other: FreshAcquire) {
        surroundings.merge(other.surroundings)
        uses += other.uses
        begun += other.begun
    }

    package func finish() -> InvariantResult {
        let judged = (uses + lost).sorted().filter {
            !surroundings.hasFault(from: $0.at.time - $0.took - settle, to: $0.at.time)
        }
        var findings = Findings()
        findings.add(judged.filter { $0.outcome != "ok" }.map(failed))
        findings.add(judged.compactMap(slow))
        let longest = judged.map(\.took).max() ?? 0
        let reason: String? =
            uses.isEmpty && lost.isEmpty
            ? "the pool was never used alone after a quiet time"
            : judged.isEmpty ? "each of the \(counted(uses.count, "lone use")) was during a fault or soon after" : nil
        return .judged(
            Self.shape, findings, unless: reason,
            summary:
                "\(counted(judged.count, "lone use")) after up to \((judged.map(\.quiet).max() ?? 0).words) of quiet, "
                + "the longest took \(longest.words) (limit \(limit.words))",
            measured: [
                "uses": JSONValue(uses.count), "judged": JSONValue(judged.count), "max_ms": .milliseconds(longest),
                "failed": JSONValue(judged.count { $0.outcome != "ok" }),
            ])
    }

    /// The last one, where its end was not told until the load's end, longer than the limit after it. There is one at a time.
    private var lost: [Use] {
        let end = surroundings.loadEnd
        guard let last = begun.max(by: { $0.at < $1.at }), !uses.contains(where: { $0.at > last.at }),
            end - last.at.time > limit + surroundings.stalled(from: last.at.time, to: end)
        else { return [] }
        let at = FaultTimeline.Moment(index: last.at.index, time: end)
        return [Use(at: at, quiet: last.quiet, took: end - last.at.time, outcome: "nothing")]
    }

    private func failed(_ use: Use) -> Finding {
        finding(use, "A lone use ended in \(use.outcome)", expected: "ok", "ended in \(use.outcome)")
    }

    private func slow(_ use: Use) -> Finding? {
        let from = use.at.time - use.took
        let stalled = surroundings.stalled(from: from, to: use.at.time)
        guard use.outcome == "ok", use.took > limit + stalled else { return nil }
        return finding(
            use, "A lone use took \(use.took.words)", expected: "at most \(limit.words)\(stallWords(stalled))",
            "ended in ok")
    }

    private func finding(_ use: Use, _ title: String, expected: String, _ seen: String) -> Finding {
        let from = use.at.time - use.took
        return Finding(
            title: title, expected: expected,
            seen: "\(seen) after \(use.took.words), when nobody had used the pool for \(use.quiet.words)",
            events: [use.at.index], time: from, activeFault: surroundings.faults.words(from: from, to: use.at.time))
    }
}
