package import RigModel

/// Once the faults have stopped every kind of operation succeeds again.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct Liveness: Checker {
    package static let shape = Shape(
        name: "liveness", summary: "once the faults have stopped every kind of operation succeeds again",
        parameters: [
            Parameter(
                "within", .duration, default: .duration(.seconds(5)),
                summary: "from the last heal to a success of each kind")
        ])

    package static let explanation = Explanation(
        claims: """
            Once the faults have stopped every kind of operation succeeds again within `within`: of the last heal, or
            of the first try after it, where that was later. Times are taken in tenths of a second, in favour of the
            pool. Time in which the machine stood still is added.
            """,
        needs: """
            A fault that landed and a last heal before the load ended; and for each kind that the run ever tried a try
            after it, and either a success or `within` to wait for one.
            """,
        cannotSee: """
            Whether it stays so, and how many fail beside the first success.
            """)

    private static let slice: Int64 = 100_000_000

    private let within: Int64
    private var surroundings = Surroundings()
    private var slices = KindSlices()

    package init(_ parameters: Parameters) { within = parameters.nanoseconds("within", default: .seconds(5)) }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        slices.observe(event)
    }

    package mutating func merge(_ other: Liveness) {
        surroundings.merge(other.surroundings)
        slices.merge(other.slices)
    }

    private enum Answer {
        /// So long after the heal.
        case alive(Int64)
        case dead(since: Int64, stalled: Int64)
        case untried, tooShort
    }

    package func finish() -> InvariantResult {
        func unknown(_ reason: String) -> InvariantResult {
            .judged(Self.shape, Findings(), unless: reason, summary: "")
        }
        let landed = surroundings.landed
        if landed.isEmpty { return unknown("no fault landed") }
        let end = surroundings.loadEnd
        guard let last = landed.max(by: { ($0.heal?.time ?? .max, $0.number) < ($1.heal?.time ?? .max, $1.number) }),
            let heal = last.heal, heal.time < end
        else { return unknown("the faults did not stop before the load ended") }
        if slices.kinds.isEmpty { return unknown("no operation was ever tried") }

        let answers = slices.kinds.sorted { $0.key < $1.key }.map { ($0.key, answer($0.value, heal.time, end)) }
        var findings = Findings()
        findings.add(
            answers.compactMap { name, answer in
                guard case .dead(let since, let stalled) = answer else { return nil }
                return finding(name, since, stalled, heal, end, last)
            })
        let alive = answers.compactMap { name, answer -> (String, Int64)? in
            if case .alive(let after) = answer { (name, after) } else { nil }
        }
        let slowest = alive.max { $0.1 < $1.1 }
        return .judged(
            Self.shape, findings, unless: reason(answers),
            summary: "\(alive.count) of \(counted(answers.count, "kind")) of operations succeeded again after "
                + last.shortName + (slowest.map { ", the last one (`\($0.0)`) after \($0.1.words)" } ?? "")
                + " (limit \(within.words))",
            measured: .object(alive.map { JSONValue.Member("\($0.0)_s", .seconds($0.1)) }))
    }

    // MARK: Judging

    private func answer(_ kind: KindSlices.Kind, _ heal: Int64, _ end: Int64) -> Answer {
        if let ok = kind.succeeded.first(from: heal), ok < end {
            let from = max(heal, min(kind.begun.first(from: heal) ?? heal, ok))
            let limit = within + surroundings.stalled(from: from, to: ok)
            return ok - from <= limit ? .alive(ok - heal) : .dead(since: from, stalled: limit - within)
        }
        let tried = kind.begun.first(from: heal)
        guard let from = kind.open > 0 ? heal : tried, from < end else { return .untried }
        let stalled = surroundings.stalled(from: from, to: end)
        return end - from > within + stalled + Self.slice ? .dead(since: from, stalled: stalled) : .tooShort
    }

    private func reason(_ answers: [(String, Answer)]) -> String? {
        func names(_ isThis: (Answer) -> Bool) -> String {
            answers.filter { isThis($0.1) }.map { "`\($0.0)`" }.joined(separator: ", ")
        }
        let untried = names { if case .untried = $0 { true } else { false } }
        if !untried.isEmpty { return "after the last heal nobody tried \(untried)" }
        let short = names { if case .tooShort = $0 { true } else { false } }
        return short.isEmpty
            ? nil : "the load ended less than \(within.words) after the last heal, without a success of \(short)"
    }

    private func finding(
        _ name: String, _ since: Int64, _ stalled: Int64, _ heal: FaultTimeline.Moment, _ end: Int64,
        _ last: FaultTimeline.Injection
    ) -> Finding {
        let ok = slices.kinds[name]?.succeeded.first(from: heal.time).flatMap { $0 < end ? $0 : nil }
        let seen =
            ok.map { "the first success came \(($0 - since).words) after the first try" }
            ?? "no success in the \((end - since).words) until the load ended"
        return Finding(
            title: "`\(name)` did not succeed again after \(last.shortName)",
            expected: "a success within \(within.words)\(stallWords(stalled))", seen: seen,
            events: [heal.index] + (slices.kinds[name]?.events(after: heal.index, from: since) ?? []),
            time: since, activeFault: surroundings.faults.words(at: since))
    }
}
