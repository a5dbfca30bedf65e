import Checkers
package import RigModel

/// A violation that was measured against a bound, once, may be an odd moment of the machine: it is confirmed by running again before
/// it counts. Pure.
///
/// A seed repeats load and faults, not the order in which threads come: that a violation does not come again does not prove that
/// there is none. So a run whose violation was not confirmed is inconclusive, never valid. What is a proof by itself (a write that
/// is there twice, a lease that never came back) needs no confirmation.
package enum Confirmation {
    /// Every violation of the run is one that running again can confirm.
    package static func isWanted(of report: RunReport) -> Bool {
        let violated = report.invariants.filter { $0.verdict == .invalid }.map(\.name)
        return report.verdict == .invalid && report.exitCode == 1 && !violated.isEmpty
            && CheckerCatalogue.measurements.isSuperset(of: violated)
    }

    /// The same report as inconclusive: the violation did not come again.
    ///
    /// - Parameter runs: how many more there were.
    package static func unconfirmed(_ report: RunReport, after runs: Int) -> RunReport {
        var report = report
        let names = report.invariants.filter { $0.verdict == .invalid }.map(\.name)
        for index in report.invariants.indices where report.invariants[index].verdict == .invalid {
            report.invariants[index].verdict = .unknown
        }
        report.verdict = .unknown
        report.exitCode = 4
        report.notes.append(
            "\(names.joined(separator: ", ")): seen once, and not again in \(runs) more "
                + "run\(runs == 1 ? "" : "s") with this seed; the first run's folder keeps what was seen")
        return report
    }
}
