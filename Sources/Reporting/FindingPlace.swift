import RigModel

/// Where in the run something was found.
enum FindingPlace {
    /// `3.1 s, restart #0`; empty where neither is known.
    static func words(_ finding: Finding) -> String {
        let time = finding.time.map { [TimeText.words(nanoseconds: $0)] } ?? []
        return (time + (finding.activeFault == "none" ? [] : [finding.activeFault])).joined(separator: ", ")
    }
}
