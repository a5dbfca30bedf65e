package import HostSystem
package import RigModel

/// Reads what a run's report says about a defect, or about the untouched pool. Pure.
package enum TrialVerdict {
    /// A run that ended in another way (with 5: something could not be undone; 70: an error in the rig; by a signal) is none,
    /// whatever it had reported by then.
    package static func isJudged(_ end: ProcessEnd) -> Bool {
        guard case .exited(let code) = end else { return false }
        return code == 0 || code == 1 || code == 4
    }

    /// - Parameters:
    ///   - report: `report.json`.
    ///   - time: when the event of this number happened, in seconds since the begin of the run; `nil`: unknown.
    package static func read(
        _ report: JSONValue, of run: TrialRun, took: Duration, time: (Int) -> Double?
    ) -> TrialResult {
        let invariants = report["invariants"]?.arrayValue ?? []
        func named(_ verdict: String) -> [String] {
            invariants.filter { $0["verdict"]?.stringValue == verdict }.compactMap { $0["name"]?.stringValue }
        }
        var result = TrialResult(
            name: run.name, invariant: run.defect?.invariant, scenario: run.trial.scenario, end: .failed, took: took,
            red: named("invalid"), words: "")
        guard let defect = run.defect else {
            let verdict = report["verdict"]?.stringValue ?? "missing"
            result.end = verdict == "valid" ? .good : verdict == "invalid" ? .bad : .undecided
            let others = invariants.filter { $0["verdict"]?.stringValue != "valid" }
            let notes = (report["notes"]?.arrayValue ?? []).compactMap(\.stringValue)
            result.words =
                result.end == .good
                ? "\(invariants.count) invariants are green"
                : (others.map { summary($0) } + notes).joined(separator: "; ")
            return result
        }
        guard let judged = invariants.first(where: { $0["name"]?.stringValue == defect.invariant }) else {
            result.words = "the report does not have the invariant \(defect.invariant)"
            return result
        }
        result.words = summary(judged)
        switch judged["verdict"]?.stringValue {
        case "invalid":
            let all = judged["findings"]?.arrayValue ?? []
            let findings = all.filter { finding in
                defect.finding.map { finding["title"]?.stringValue?.contains($0) == true } ?? true
            }
            guard !findings.isEmpty || all.isEmpty && defect.finding == nil else {
                result.end = .bad
                result.words = "red for another reason than \"\(defect.finding ?? "")\": \(result.words)"
                break
            }
            result.end = .good
            result.words = summary(judged, findings)
            result.secondsToDetection = detection(findings, time)
        case "valid": result.end = .bad
        default: result.end = .undecided
        }
        return result
    }

    /// A finding is complete with its last event; the first finding that is counts.
    private static func detection(_ findings: [JSONValue], _ time: (Int) -> Double?) -> Double? {
        findings.compactMap { finding -> Double? in
            let last = (finding["events"]?.arrayValue ?? []).compactMap { $0.intValue.map(Int.init) }.max()
            return last.flatMap(time) ?? finding["at_s"]?.doubleValue
        }.min()
    }

    private static func summary(_ invariant: JSONValue, _ findings: [JSONValue]? = nil) -> String {
        let title = (findings ?? invariant["findings"]?.arrayValue ?? []).first?["title"]?.stringValue
        return "\(invariant["name"]?.stringValue ?? ""): \(title ?? invariant["summary"]?.stringValue ?? "")"
    }
}
