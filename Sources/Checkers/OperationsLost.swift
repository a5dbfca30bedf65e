package import RigModel

/// The share of operations that a fault may cost.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct OperationsLost: Checker {
    package static let shape = Shape(
        name: "operations-lost", summary: "the share of operations that a fault may cost",
        parameters: [
            Parameter("share", .share, default: .share(0.75), summary: "share of the operations that may be lost"),
            Parameter(
                "recovery", .duration, default: .duration(.seconds(2)),
                summary: "how long after the heal operations still count for the fault"),
        ])

    package static let explanation = Explanation(
        claims: """
            Of the operations that ended from a fault's begin until `recovery` after its heal at most `share` were
            lost, that is ended in `fail` or `info`. A second fault within that time is judged by its own window as
            well.
            """,
        needs: """
            A fault that landed, and ten operations that ended in its window.
            """,
        cannotSee: """
            Operations that were never begun because every client was waiting, and those that a retry saved: they
            count as done.
            """)

    private static let fewest = 10

    private let share: Double
    private let recovery: Int64
    private var surroundings = Surroundings()
    private var outcomes = OutcomeSlices()

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        share = parameters.share("share") ?? 0.75
        recovery = parameters.nanoseconds("recovery", default: .seconds(2))
    }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        outcomes.observe(event)
    }

    package mutating func merge(_ other: OperationsLost) {
        surroundings.merge(other.surroundings)
        outcomes.merge(other.outcomes)
    }

    private struct Loss {
        var injection: FaultTimeline.Injection
        var from: Int64
        var to: Int64
        var ok: Int
        var lost: Int
        var total: Int { ok + lost }
        var share: Double { total > 0 ? Double(lost) / Double(total) : 0 }
    }

    package func finish() -> InvariantResult {
        let losses = surroundings.landed.map(loss)
        let judged = losses.filter { $0.total >= Self.fewest }
        var findings = Findings()
        findings.add(judged.filter { $0.share > share }.map(finding))
        let few = losses.filter { $0.total < Self.fewest }.map(\.injection.shortName).joined(separator: ", ")
        let reason: String? =
            losses.isEmpty
            ? "no fault landed" : few.isEmpty ? nil : "fewer than \(Self.fewest) operations ended around \(few)"
        let worst = judged.max { $0.share < $1.share }
        return .judged(
            Self.shape, findings, unless: reason,
            summary: worst.map {
                "at worst \(percentWords($0.share)) lost (\($0.lost) of \($0.total), \($0.injection.shortName)), "
                    + "limit \(percentWords(share))"
            } ?? "",
            measured: [
                "share": .double(share),
                "faults": .array(
                    losses.map {
                        [
                            "fault": .string($0.injection.shortName), "ok": JSONValue($0.ok),
                            "lost": JSONValue($0.lost),
                            "share": .double(($0.share * 1e4).rounded() / 1e4),
                        ]
                    }),
            ])
    }

    private func loss(_ injection: FaultTimeline.Injection) -> Loss {
        let from = injection.inject?.time ?? 0
        let to = max(from, min(injection.heal.map { $0.time + recovery } ?? .max, surroundings.loadEnd))
        let counts = outcomes.counts(from: from, to: to)
        return Loss(injection: injection, from: from, to: to, ok: counts.ok, lost: counts.lost)
    }

    private func finding(_ loss: Loss) -> Finding {
        Finding(
            title: "\(loss.injection.shortName) cost \(percentWords(loss.share)) of the operations",
            expected: "at most \(percentWords(share)) of those that ended until \(recovery.words) after the heal",
            seen: "\(loss.lost) of \(loss.total) lost from \(loss.from.words) to \(loss.to.words)",
            events: [loss.injection.inject?.index, loss.injection.heal?.index].compactMap { $0 }, time: loss.from,
            activeFault: surroundings.faults.words(from: loss.from, to: loss.to))
    }
}
