package import RigModel

/// The injections of a run for its report. A mergeable fold over what the nemesis says.
package struct FaultRecords: Sendable {
    private var timeline = FaultTimeline()

    package init() {}

    package mutating func observe(_ event: Event) { timeline.observe(event) }
    package mutating func merge(_ other: FaultRecords) { timeline.merge(other.timeline) }

    /// One record for each injection that began, in order.
    package var records: [FaultRecord] {
        timeline.injections.compactMap { injection in
            guard let inject = injection.inject else { return nil }
            return FaultRecord(
                number: injection.number, kind: injection.kind, detail: injection.detail,
                injectedAtSeconds: Double(inject.time) / 1e9,
                healedAtSeconds: injection.heal.map { Double($0.time) / 1e9 }, landed: injection.landed ?? false,
                evidence: injection.evidence ?? "the history holds no proof, neither for nor against")
        }
    }
}
