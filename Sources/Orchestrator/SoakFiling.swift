import HostSystem
package import Reporting

/// The end of a soak in the results database: filed, then compared with the nights before it.
package enum SoakFiling {
    /// How many soaks of the scenario are looked at.
    private static let nights = 30

    /// Files the soak, and writes what it is beside the last nights into its report.
    ///
    /// - Returns: for the summary; and why something of it could not be done, which costs the soak nothing else.
    package static func file(_ log: SoakLog, folder: String, out: String) async -> (
        nights: SoakNights?, problem: String?
    ) {
        if let problem = await ResultsFiling.file(folder: folder, out: out) { return (nil, problem) }
        let result: Result<SoakNights, ResultsError> = await onOwnThread("nights") {
            do throws(ResultsError) {
                let database = try ResultsDatabase(path: ResultsFiling.path(out: out), mayCreate: false)
                let name = SoakReport.name(of: log.scenario)
                // One that was resumed may be older than others.
                let runs = try database.comparableRuns(of: name, last: nights).filter { $0.startedAt <= log.startedAt }
                return .success(SoakNights(Trend(scenario: name, runs: runs)))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .failure(let error): return (nil, "the last nights cannot be compared: \(error)")
        case .success(let nights):
            do {
                try SmallFile.write(Array(SoakMarkdown.render(log, nights: nights).utf8), to: "\(folder)/report.md")
                try SmallFile.write(Array(SoakPage.render(log, nights: nights).utf8), to: "\(folder)/report.html")
            } catch {
                return (nights, "the last nights are not in the report: \(error)")
            }
            return (nights, nil)
        }
    }
}
