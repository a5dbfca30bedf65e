import Foundation
import Glibc
import HostSystem
package import RigModel
import ScenarioFile

/// What a stored run came to.
package struct StoredJudgement: Sendable, Equatable {
    package let conclusion: RunConclusion
    /// `false`: by another one, which somebody named.
    package let isByScenarioOfRun: Bool
    /// What `report.json` beside the history says; `nil` where there is none.
    package let reportedVerdict: Verdict?

    /// The two say different things of the same scenario, in words; `nil`: they do not.
    package var contradiction: String? {
        guard isByScenarioOfRun, let reportedVerdict, reportedVerdict != conclusion.verdict else { return nil }
        let words =
            "report.json says \(reportedVerdict.rawValue): it was changed, or written by another version of chaosrig"
        // One history may be put in the place of another that was worse.
        guard conclusion.verdict == .valid else { return words }
        return words
            + ", or the history is not that of the report. So nothing is decided: run it again (chaosrig replay), or, "
            + "should the report be the one that is wrong, remove report.json and check again"
    }

    /// As in README.md. What its own report does not call valid is not valid by the history alone.
    package var exitCode: Int32 {
        let code = conclusion.exitCode
        return code == 0 && contradiction != nil ? 4 : code
    }
}

/// A run that is over, in its folder (docs/report.md): judged again from `scenario.yaml` and `history.jsonl` alone.
package struct StoredRun: Sendable {
    /// As it was named.
    package let folder: String
    /// What was named was a file in it.
    private let namedFile: String?

    /// - Parameter path: the folder, or a file in it.
    package init(_ path: String) {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        guard exists, !isFolder.boolValue else {
            (folder, namedFile) = (path, nil)
            return
        }
        let parent = (path as NSString).deletingLastPathComponent
        (folder, namedFile) = (parent.isEmpty ? "." : parent, path)
    }

    package var historyPath: String { (folder as NSString).appendingPathComponent("history.jsonl") }
    /// Windows of a soak have theirs in the soak's folder.
    package var scenarioPath: String {
        let path = (folder as NSString).appendingPathComponent("scenario.yaml")
        return SmallFile.exists(path) ? path : StoredSoak.scenario(ofWindow: folder) ?? path
    }

    /// What the history comes to, by the checkers of this version. Blocks; memory grows with what the checkers keep, not with
    /// the length of the history.
    ///
    /// - Parameter override: judges by this scenario, and not by that of the run.
    /// - Throws: ``RunError/usage(_:)`` when scenario or history cannot be trusted, with file and line.
    package func judge(scenarioAt override: String? = nil) throws(RunError) -> StoredJudgement {
        if !SmallFile.exists(historyPath), let words = StoredSoak.notToJudge(folder) { throw .usage(words) }
        let path = override ?? scenarioPath
        guard let bytes = SmallFile.bytes(path) else {
            let reason = errorText(errno)
            throw .usage(
                override == nil ? noRun(reason) : "\(path): cannot be read: \(reason); a scenario file was expected")
        }
        let scenario: Scenario
        do throws(ScenarioErrors) {
            let name = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
            scenario = try ScenarioLoader(catalogue: Catalogue.scenario).load(
                bytes, file: path, defaultName: name, overrides: [], environment: [:])
        } catch {
            throw .usage(error.description)
        }
        var judge = Judge(scenario)
        try read { judge.observe($0) }
        let isOfRun = !judge.record.hasBegun || judge.record.scenarioDigest == SHA256Digest.of(bytes)
        guard isOfRun || override != nil else {
            throw .usage(
                judge.record.scenarioDigest == nil
                    ? "\(historyPath): the history does not say by which scenario it was made (an older chaosrig wrote it), so "
                        + "\(path) may be another one; to judge by it all the same: --scenario \(path)"
                    : "\(path): this is not the scenario of the run: its digest is not the one in the history, so it was "
                        + "changed or put there later; to judge by it all the same: --scenario \(path)")
        }
        return StoredJudgement(
            conclusion: RunConclusion(judge, scenario), isByScenarioOfRun: isOfRun, reportedVerdict: reportedVerdict)
    }

    /// Why there is nothing to judge, and what may be meant.
    private func noRun(_ reason: String) -> String {
        "\(folder) is no run folder: \(scenarioPath) cannot be read: \(reason). A folder with scenario.yaml and history.jsonl, as "
            + "a run leaves it, was expected\(hint)"
    }

    /// What may be meant where the folder is not that of a run.
    package var hint: String {
        guard FileManager.default.fileExists(atPath: folder) else { return "; there is no \(folder)" }
        if let namedFile { return "; \(namedFile) is a file, not a run folder" }
        let latest = (folder as NSString).appendingPathComponent("latest")
        return FileManager.default.fileExists(atPath: latest) ? "; did you mean \(latest)?" : ""
    }

    /// Every event in order, also the end.
    ///
    /// - Throws: ``RunError/usage(_:)`` when the history is not whole, with the line.
    package func read(_ body: (Event) -> Void) throws(RunError) {
        do throws(HistoryError) { try HistoryReader(path: historyPath).read(body) } catch {
            throw .usage("\(error)" + (FileManager.default.fileExists(atPath: historyPath) ? "" : hint))
        }
    }

    /// The folder itself, where it was named by a link.
    package var resolvedFolder: String { URL(fileURLWithPath: folder).resolvingSymlinksInPath().path }

    /// Where a run came from.
    package struct Origin: Sendable, Equatable {
        package let seed: UInt64
        /// As in `report.json`: versions, cores, kernel. Empty where the run did not get as far.
        package let environment: [JSONValue.Member]
    }

    /// The seed and the surroundings of the run: from its report, else, where it was killed, from the head of its history.
    ///
    /// - Throws: ``RunError/usage(_:)`` when the folder is not that of a run.
    package func origin() throws(RunError) -> Origin {
        if let report = report, let seed = seed(report["seed"]) {
            var environment: [JSONValue.Member] = []
            if case .object(let members)? = report["environment"] { environment = members }
            return Origin(seed: seed, environment: environment)
        }
        for line in historyHead.split(separator: UInt8(ascii: "\n")) {
            guard let event = try? JSONValue(parsing: Array(line)), event["f"]?.stringValue == "run",
                let value = event["value"], let seed = seed(value["seed"])
            else { continue }
            let version = value["chaosrig"].map { [JSONValue.Member("chaosrig", $0)] }
            return Origin(seed: seed, environment: version ?? [])
        }
        throw .usage(
            "\(folder) is not the folder of a run, or the run ended before it began: neither report.json nor history.jsonl "
                + "tells its seed; name a folder like runs/db-restart/latest\(hint)")
    }

    private func seed(_ value: JSONValue?) -> UInt64? {
        value?.intValue.flatMap { UInt64(exactly: $0) } ?? value?.stringValue.flatMap { UInt64($0) }
    }

    /// The first events; all that a run says about itself stands there.
    private var historyHead: [UInt8] {
        guard let handle = FileHandle(forReadingAtPath: historyPath) else { return [] }
        defer { try? handle.close() }
        return (try? handle.read(upToCount: 1 << 20)).map { Array($0) } ?? []
    }

    private var report: JSONValue? {
        let path = (folder as NSString).appendingPathComponent("report.json")
        return SmallFile.bytes(path).flatMap { try? JSONValue(parsing: $0) }
    }

    /// `nil` where there is no report.
    private var reportedVerdict: Verdict? {
        report?["verdict"]?.stringValue.flatMap(Verdict.init(rawValue:))
    }
}
