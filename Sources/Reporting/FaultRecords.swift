package import RigModel

/// The injections of a run, for its report.
package enum FaultRecords {
    package static func records(of timeline: FaultTimeline) -> [FaultRecord] {
        timeline.injections.compactMap { injection in
            guard let inject = injection.inject else { return nil }
            return FaultRecord(
                kind: injection.kind, detail: injection.detail, injectedAtSeconds: seconds(inject.time),
                healedAtSeconds: injection.heal.map { seconds($0.time) }, landed: injection.landed ?? false,
                evidence: injection.evidence ?? .null)
        }
    }

    private static func seconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1e9 }
}
