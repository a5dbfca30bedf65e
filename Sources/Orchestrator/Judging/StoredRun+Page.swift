import Foundation
import HostSystem
import Reporting
import RigModel

extension StoredRun {
    /// `report.html` of this run, made anew from `report.json` and `history.jsonl`. Blocks; memory does not grow with the history.
    ///
    /// - Throws: ``RunError/usage(_:)`` when the folder is not that of a run that ended, with what is missing or wrong.
    package func page() throws(RunError) -> String {
        let path = file("report.json")
        guard let bytes = SmallFile.bytes(path) else {
            throw .usage(
                "\(path): cannot be read; name the folder of a run that ended, for example runs/db-restart/latest\(hint)"
            )
        }
        var report: RunReport
        do { report = try ReportJSON.decode(try JSONValue(parsing: bytes)) } catch { throw .usage("\(path): \(error)") }
        var workload = WorkloadSummary()
        let (picture, lanes) = try look(for: report) { workload.observe($0) }
        // report.json has a few quantiles only.
        report.workload = workload.operations
        return HTMLReport.render(report: report, picture: picture, lanes: lanes, scenario: scenarioText)
    }

    /// The page of a report that is known, from the history.
    func page(of report: RunReport) throws(RunError) -> String {
        let (picture, lanes) = try look(for: report) { _ in }
        return HTMLReport.render(report: report, picture: picture, lanes: lanes, scenario: scenarioText)
    }

    private func look(
        for report: RunReport, _ also: (Event) -> Void
    ) throws(RunError) -> (RunPicture, ConnectionLanes) {
        var picture = RunPicture()
        var lanes = ConnectionLanes(LaneWindow.around(report.invariants))
        try read { event in
            picture.observe(event)
            lanes.observe(event)
            also(event)
        }
        lanes.finish()
        return (picture, lanes)
    }

    private var scenarioText: String? {
        SmallFile.bytes(file("scenario.yaml")).map { String(decoding: $0, as: UTF8.self) }
    }

    private func file(_ name: String) -> String { (folder as NSString).appendingPathComponent(name) }
}
