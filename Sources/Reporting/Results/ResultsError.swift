/// Why the results database did not serve. Nothing of a run is lost by it: the run folder has everything, and can be filed later.
package enum ResultsError: Error, Equatable, CustomStringConvertible {
    /// The file is not there; nothing was run yet, or in another folder.
    case noDatabase(path: String)
    /// The file is no SQLite database, or its pages are damaged.
    case damaged(path: String, reason: String)
    /// A database of another program.
    case foreign(path: String)
    /// Written by a later version of chaosrig.
    case tooNew(path: String, format: Int, known: Int)
    /// Others kept it locked for the whole wait.
    case busy(path: String, waitedSeconds: Int)
    /// The folder or the file cannot be written, the disk is full, and what else a system says.
    case failed(path: String, reason: String)
    /// A `report.json` that cannot be filed.
    case notAReport(path: String, problem: String)
    /// Not in the database.
    case noSuchRun(wanted: String, path: String)

    package var description: String {
        switch self {
        case .noDatabase(let path):
            "there is no \(path): `chaosrig run` makes it; --out DIR names another folder than runs/; "
                + "`chaosrig report --trend --refile` files the run folders that are there"
        case .damaged(let path, let reason):
            "\(path) is damaged (\(reason)); move it away (mv \(path) \(path).damaged), then "
                + "`chaosrig report --trend --refile --out DIR` makes it anew from the run folders in DIR"
        case .foreign(let path):
            "\(path) is the database of another program; choose another folder with --out"
        case .tooNew(let path, let format, let known):
            "\(path) was written by a newer chaosrig (format \(format), this one knows \(known)); "
                + "update chaosrig, or choose another folder with --out"
        case .busy(let path, let seconds):
            "\(path) was locked by another process for \(seconds) s; look who has it open (fuser \(path)), and try again"
        case .failed(let path, let reason):
            "\(path): \(reason); is the folder there, writable, and the disk not full?"
        case .notAReport(let path, let problem):
            "\(path) has no report that can be filed: \(problem)"
        case .noSuchRun(let wanted, let path):
            "there is no run \(wanted) in \(path); `chaosrig report --trend --json` lists them"
        }
    }
}
