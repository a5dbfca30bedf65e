package import RigModel

/// After each fault the pool lends all its connections at once.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct AllConnections: Checker {
    package static let shape = Shape(
        name: "all-connections", summary: "after each fault the pool lends all its connections at once",
        parameters: [
            Parameter("missing", .count, default: .count(0), summary: "connections that may be missing")
        ])

    package static let explanation = Explanation(
        claims: """
            After a fault the pool can still lend all its connections at once: asked for all, it lends all within its
            own acquire timeout. A slot that was lost shows here, and nowhere else while the pool is big enough for
            its load.
            """,
        needs: """
            A question (`probe/all-at-once`) during which no fault was active and the machine did not stand still for
            a quarter of the acquire timeout, and no client kept a connection on purpose (`notes.held_ns`) for longer
            than that timeout; and one after the last heal, where a fault was healed before the run's
            end.
            """,
        cannotSee: """
            Who has the connections that are missing: leases that are out, or nobody.
            """)

    private struct Question: Comparable, Sendable {
        var at: FaultTimeline.Moment
        var asked: Int64
        var got: Int64
        var took: Int64
        static func < (a: Question, b: Question) -> Bool { a.at < b.at }
        static func == (a: Question, b: Question) -> Bool { a.at == b.at }
    }

    private let missing: Int64
    private var surroundings = Surroundings()
    private var questions: [Question] = []
    /// When clients kept a connection on purpose, by for how many tenths of a second.
    private var holds: [Int64: ActivitySlices] = [:]
    private static let tenth: Int64 = 100_000_000

    package static let isMeasurement = true

    package init(_ parameters: Parameters) { missing = Int64(parameters.count("missing") ?? 0) }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        if let notes = event.completion?.notes, let held = notes.nanoseconds("held_ns"), held >= Self.tenth {
            let end = event.completion?.returnedAt ?? event.time
            holds[held / Self.tenth, default: ActivitySlices()].mark(from: end - held, to: end)
        }
        guard event.process == .probe, event.function == "all-at-once", let asked = event.value["asked"]?.intValue,
            let got = event.value["got"]?.intValue, event.value["stopped"]?.boolValue != true
        else { return }
        questions.append(
            Question(at: event.moment, asked: asked, got: got, took: event.value.nanoseconds("took_ns") ?? 0))
    }

    package mutating func merge(_ other: AllConnections) {
        surroundings.merge(other.surroundings)
        questions += other.questions
        holds.merge(other.holds) { mine, theirs in
            var both = mine
            both.merge(theirs)
            return both
        }
    }

    package func finish() -> InvariantResult {
        let judged = questions.sorted().filter(canBeJudged)
        let short = judged.filter { $0.got < $0.asked - missing }
        var findings = Findings()
        findings.add(short.map(finding))
        let fewest = judged.map { $0.asked - $0.got }.max() ?? 0
        return .judged(
            Self.shape, findings, unless: nothingToJudge(judged),
            summary: "asked for all \(counted(judged.first?.asked ?? 0, "connection")) "
                + "\(counted(judged.count, "time")), at most \(max(0, fewest)) missing, "
                + "the longest took \((judged.map(\.took).max() ?? 0).words)",
            measured: [
                "asked": JSONValue(questions.count), "judged": JSONValue(judged.count), "short": JSONValue(short.count),
                "most_missing": .int(max(0, fewest)), "max_ms": .milliseconds(judged.map(\.took).max()),
            ])
    }

    private func canBeJudged(_ question: Question) -> Bool {
        let from = question.at.time - question.took
        if surroundings.hasFault(from: from, to: question.at.time) { return false }
        let timeout = surroundings.setting("acquire_timeout_ns") ?? question.took
        if question.got >= question.asked { return true }
        let isHeld = holds.contains {
            ($0.key + 1) * Self.tenth > timeout && $0.value.hasMark(from: from, to: question.at.time)
        }
        return !isHeld && surroundings.stalled(from: from, to: question.at.time) * 4 < max(timeout, 1)
    }

    private func nothingToJudge(_ judged: [Question]) -> String? {
        if questions.isEmpty { return "the pool was never asked for all its connections at once" }
        if judged.isEmpty {
            return "a fault was active, or "
                + (holds.isEmpty ? "" : "a client kept a connection for longer than the acquire timeout, or ")
                + "the machine stood still, whenever the pool was asked"
        }
        if let (fault, heal) = lastHeal, !judged.contains(where: { $0.at.time > heal }) {
            return "after \(fault.shortName) was healed the pool was not asked, or a stall of the machine"
                + "\(holds.isEmpty ? "" : " or a client that kept a connection") spoilt it"
        }
        if let all = surroundings.total("max_open"), judged.allSatisfy({ $0.asked < all }) {
            return "the pool was asked for \(judged[0].asked) connections, and may open \(all)"
        }
        return nil
    }

    /// The last one while no other fault was active.
    private var lastHeal: (FaultTimeline.Injection, Int64)? {
        surroundings.landed.compactMap { injection in
            guard let heal = injection.heal?.time, !injection.forced else { return nil }
            let isCovered = surroundings.landed.contains {
                $0.number != injection.number && FaultWindows.isActive($0, from: heal, to: heal)
            }
            return isCovered ? nil : (injection, heal)
        }.max { ($0.1, $0.0.number) < ($1.1, $1.0.number) }
    }

    private func finding(_ question: Question) -> Finding {
        let from = question.at.time - question.took
        return Finding(
            title: "The pool lent only \(question.got) of its \(counted(question.asked, "connection"))",
            expected: "\(question.asked - missing) at once, within the acquire timeout"
                + (surroundings.setting("acquire_timeout_ns").map { " of \($0.words)" } ?? ""),
            seen: "\(question.got) after \(question.took.words)", events: [question.at.index], time: from,
            activeFault: surroundings.faults.words(from: from, to: question.at.time))
    }
}
