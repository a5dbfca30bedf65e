import Foundation
import Glibc
import HostSystem
import Reporting
import RigModel
import RigTestSupport
import ScenarioFile
import Threading

@testable import Orchestrator

/// Soaks on disk, and their keeper, without a run.
struct SoakFixture {
    let folder: TemporaryFolder
    let scenario: Scenario
    var out: String { folder.file("out") }

    init() throws {
        folder = try TemporaryFolder()
        scenario = try ScenarioLoader(catalogue: Catalogue.scenario).load(
            Array("name: brief\ntarget: {sqlite: temporary}\nworkload: {mix: {read: 1}}\n".utf8), file: "brief.yaml",
            defaultName: "brief")
    }

    var options: RunOptions {
        RunOptions(
            seed: 7, out: out, allowedRemoteHosts: [], replayCommand: "chaosrig soak brief.yaml",
            interrupt: Interrupt(), progress: Mute())
    }

    func keeper(for duration: Duration? = nil, from resume: String? = nil) throws(RunError) -> SoakKeeper {
        try SoakKeeper(scenario, options, SoakRun.Options(duration: duration, keepBytes: 1 << 30, resume: resume))
    }

    /// A soak as its process left it.
    func stored(
        _ name: String, startedAt: String = "2026-11-21T22:00:00Z", yaml: String? = nil,
        change: (inout SoakLog) -> Void = { _ in }
    ) throws -> String {
        let path = "\(out)/brief/\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        var log = SoakLog(
            scenario: "brief", scenarioSummary: "", seed: 7, startedAt: startedAt, plannedSeconds: 8 * 3600, replay: "")
        change(&log)
        try SmallFile.write(Array(log.json.prettyText.utf8), to: "\(path)/soak.json")
        try SmallFile.write(Array((yaml ?? ResolvedScenario.yaml(scenario)).utf8), to: "\(path)/scenario.yaml")
        return path
    }
}

private struct Mute: ProgressDisplay {
    func say(_ line: String) {}
    func show(_ state: RunProgress) {}
    func end() {}
}
