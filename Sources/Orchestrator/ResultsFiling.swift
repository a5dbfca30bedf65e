import Foundation
import HostSystem
package import Reporting
import RigModel
import SQLiteDriver

/// Puts run folders into the results database beside them.
package enum ResultsFiling {
    /// The database of a folder of run folders.
    package static func path(out: String) -> String {
        URL(fileURLWithPath: out).standardizedFileURL.appendingPathComponent(ResultsDatabase.fileName).path
    }

    /// Files one run that has left its `report.json`. Waits for other rigs that file, for a minute at most.
    ///
    /// - Parameter out: the folder with the database, which is made where it is not there.
    /// - Returns: why it was not filed; the run folder is as it was, and can be filed later. `nil`: filed.
    package static func file(folder: String, out: String) async -> String? {
        let result: Result<Void, ResultsError> = await onOwnThread("file run") {
            do throws(ResultsError) {
                // Before SQLite is first used: a later run in this process may test SQLite with these settings.
                SQLiteLibrary.prepare()
                let run = try read(folder, out: out)
                try ResultsDatabase(path: path(out: out), mayCreate: true).file(run)
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        guard case .failure(let error) = result else { return nil }
        return "this run was not filed for the trend: \(error)"
    }

    /// Files every run folder below `out`, also those that are there already, oldest first. Blocks.
    ///
    /// - Returns: how many were filed, and what is wrong with the others.
    /// - Throws: ``ResultsError`` of the database.
    package static func refile(out: String) throws(ResultsError) -> (filed: Int, problems: [String]) {
        var runs: [FiledRun] = []
        var problems: [String] = []
        for scenario in (SmallFile.names(in: out) ?? []).sorted() {
            for name in (SmallFile.names(in: "\(out)/\(scenario)") ?? []).sorted() {
                let folder = "\(out)/\(scenario)/\(name)"
                // `latest` is another name of a folder that is there.
                guard SmallFile.linkTarget(folder) == nil, SmallFile.isPlain("\(folder)/report.json") else { continue }
                do throws(ResultsError) { runs.append(try read(folder, out: out)) } catch {
                    problems.append("\(error)")
                }
            }
        }
        if runs.isEmpty { return (0, problems) }
        let database = try ResultsDatabase(path: path(out: out), mayCreate: true)
        for run in runs.sorted(by: { $0.startedAt < $1.startedAt }) { try database.file(run) }
        return (runs.count, problems)
    }

    /// What a run folder says of itself.
    ///
    /// - Throws: ``ResultsError/notAReport(path:problem:)``.
    package static func read(_ folder: String, out: String? = nil) throws(ResultsError) -> FiledRun {
        let absolute = SmallFile.realPath(folder) ?? URL(fileURLWithPath: folder).standardizedFileURL.path
        let path = "\(absolute)/report.json"
        guard let bytes = SmallFile.bytes(path) else {
            throw .notAReport(path: absolute, problem: "there is no report.json in it")
        }
        let report: JSONValue
        do { report = try JSONValue(parsing: bytes) } catch {
            throw .notAReport(path: absolute, problem: "report.json is \(error)")
        }
        let text = scenario(SmallFile.text("\(absolute)/scenario.yaml") ?? "")
        var digest = SHA256Digest()
        digest.update(Array(text.utf8))
        return try FiledRun(
            report: report, folder: relative(absolute, to: out), scenarioText: text, scenarioHash: digest.finish())
    }

    /// Without the summary that stands before it: other words make no other scenario.
    private static func scenario(_ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.drop { $0.hasPrefix("#") }.joined(separator: "\n")
    }

    /// So that the folder with the database and all runs can be moved.
    private static func relative(_ folder: String, to out: String?) -> String {
        guard let out, let root = SmallFile.realPath(out), folder.hasPrefix(root + "/") else { return folder }
        return String(folder.dropFirst(root.count + 1))
    }
}
