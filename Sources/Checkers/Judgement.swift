import RigModel

extension InvariantResult {
    /// Invalid with any finding, else unknown with a reason, else valid.
    ///
    /// - Parameters:
    ///   - reason: why there was nothing to judge, or not enough.
    ///   - facts: what was looked at, with numbers, without a full stop.
    static func judged(
        _ name: String, _ findings: Findings, unknown reason: String?, facts: String, measured: JSONValue
    ) -> InvariantResult {
        let verdict: Verdict = findings.isEmpty ? (reason == nil ? .valid : .unknown) : .invalid
        let summary =
            if !findings.isEmpty {
                "\(counted(findings.total, "violation")); \(facts)\(findings.remark)"
            } else if let reason {
                "not judged: \(reason)"
            } else {
                facts
            }
        return InvariantResult(
            name: name, verdict: verdict, summary: summary, findings: findings.selection, measured: measured)
    }
}

/// `1 s`, `1 s + 250 ms tolerance + 30 ms in which the machine stood still`.
func limitWords(_ limit: Int64, tolerance: Int64 = 0, stalled: Int64) -> String {
    var words = TimeText.words(nanoseconds: limit)
    if tolerance > 0 { words += " + \(TimeText.words(nanoseconds: tolerance)) tolerance" }
    if stalled > 0 { words += " + \(TimeText.words(nanoseconds: stalled)) in which the machine stood still" }
    return words
}
