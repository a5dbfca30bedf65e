package import RigModel

/// The pool's counters are true, one by one.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct HonestCounters: Checker {
    package static let shape = Shape(
        name: "honest-counters", summary: "the pool's counters agree with the history, counter by counter",
        parameters: [
            Parameter(
                "tolerance", .share, default: .share(0.01),
                summary: "by how much a counter of calls may differ from what the clients saw")
        ])

    package static let explanation = Explanation(
        claims: """
            `connectsOpened`, `connectFailures`, `leaksSuspected` and the closed by reason are as many as the pool's
            own events of that sort; `acquireCount`, `acquireTimeouts`, `acquireCancelled` and `retries` lie within
            what the clients saw, widened by `tolerance` and five for the rig's own uses of the pool. No counter is
            smaller after the close than before.
            """,
        needs: """
            The counters (`pool/metrics`) at the quiet end of the run with one of these names, and operations, else
            unknown. Where the pool's process ended, its counters ended with it: then only its events since then are
            compared.
            """,
        cannotSee: """
            Counters that nobody else counts (`waitCount`, `resets`, health checks, durations); counters of a pool
            that tells none of its events.
            """)

    private static let ownUses = 5

    private let tolerance: Double
    private var faults = FaultWindows()
    private var events = PoolEventCounts()
    private var calls = CallCounts()

    package init(_ parameters: Parameters) { tolerance = parameters.share("tolerance") ?? 0.01 }

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        events.observe(event)
        calls.observe(event)
    }

    package mutating func merge(_ other: HonestCounters) {
        faults.merge(other.faults)
        events.merge(other.events)
        calls.merge(other.calls)
    }

    package func finish() -> InvariantResult {
        let compared = comparisons
        var findings = Findings()
        findings.add(compared.compactMap(finding))
        findings.add(shrunk)
        return .judged(
            Self.shape.name, findings, unknown: reason(compared),
            facts: "\(counted(compared.count, "counter")) compared: "
                + compared.map { "\($0.name) \($0.told)" }.joined(separator: ", "),
            measured: .object(
                compared.map {
                    .init(
                        $0.name, ["told": .int($0.told), "least": .int($0.least), "most": .int($0.most)])
                }))
    }

    private struct Comparison {
        var name: String
        var told: Int64
        var least: Int64
        var most: Int64
        var source: String
    }

    /// Should several pools tell their counters each, they are added up.
    private func told(_ name: String, at: String) -> Int64? {
        let values = events.snapshots.filter { $0.at == at }.compactMap { $0.counters[name]?.intValue }
        return values.isEmpty
            ? nil : values.reduce(0) { $0.addingReportingOverflow($1).partialValue }
    }

    private var quiet: PoolEventCounts.Snapshot? { events.snapshots.last { $0.at == "quiesced" } }

    private var comparisons: [Comparison] {
        guard let quiet else { return [] }
        var all: [Comparison] = []
        let tellsEvents = quiet.counts["connectsOpened"] != nil
        for name in PoolEventCounts.counters where tellsEvents {
            guard let told = told(name, at: "quiesced") else { continue }
            let count = Int64(quiet.counts[name] ?? 0)
            let mayBeFewer = name == "connectFailures" && quiet.wasReopened
            all.append(
                Comparison(
                    name: name, told: told, least: mayBeFewer ? 0 : count - Int64(quiet.before[name] ?? 0),
                    most: count + Int64(quiet.after[name] ?? 0), source: "by the pool's own events"))
        }
        for name in CallCounts.counters where !events.wasLost {
            guard let told = told(name, at: "quiesced"), let range = calls.range(of: name) else { continue }
            let slack = { (number: Int) in Int64(Double(number) * tolerance) + Int64(Self.ownUses) }
            all.append(
                Comparison(
                    name: name, told: told, least: max(0, Int64(range.least) - slack(range.least)),
                    most: Int64(range.most) + slack(range.most), source: "by what the clients saw"))
        }
        return all
    }

    private func reason(_ compared: [Comparison]) -> String? {
        if quiet == nil { return "the pool never told its counters while it was quiet" }
        if compared.isEmpty { return "the pool told no counter that the history can be held against" }
        return calls.ended == 0 ? "no operation ever ended" : nil
    }

    private func finding(_ comparison: Comparison) -> Finding? {
        guard let quiet, comparison.told < comparison.least || comparison.told > comparison.most else { return nil }
        let range =
            comparison.least == comparison.most
            ? "\(comparison.least)" : "\(comparison.least) to \(comparison.most)"
        return Finding(
            title: "The pool's counter \(comparison.name) is wrong", expected: "\(range) \(comparison.source)",
            seen: "\(comparison.told)", events: [quiet.index], time: quiet.time,
            activeFault: faults.words(at: quiet.time))
    }

    /// Counters that went backwards between the quiet end and the close.
    private var shrunk: [Finding] {
        guard let quiet, let closed = events.snapshots.last(where: { $0.at == "closed" }), closed.index > quiet.index
        else { return [] }
        return (PoolEventCounts.counters + CallCounts.counters).compactMap { name in
            guard let before = told(name, at: "quiesced"), let after = told(name, at: "closed"), after < before else {
                return nil
            }
            return Finding(
                title: "The pool's counter \(name) went backwards", expected: "at least \(before), as before the close",
                seen: "\(after)", events: [quiet.index, closed.index], time: closed.time,
                activeFault: faults.words(at: closed.time))
        }
    }
}
