import Foundation
import HostSystem
import RigTestSupport
import Testing

/// What is done with a run folder later: judged again, and exported.
@Suite(.timeLimit(.minutes(15)))
struct StoredRunSuite {
    /// A short run that only appends.
    ///
    /// - Returns: its folder, within this one.
    private func run(in folder: TemporaryFolder) async throws -> String {
        let phases = "phases={warm-up: 200ms, steady: 500ms, faults: 0s, settle: 500ms}"
        let result = try await Rig.command([
            "run", "faults/quickstart-sqlite.yaml", "--out", folder.path, "--seed", "7", "--set", phases, "--set",
            "faults=[]",
            "--set", "workload.mix={append: 1}", "--set",
            "invariants={retry-correctness: {}, timeouts: {tolerance: 20s}}",
        ])
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
        return folder.file("quickstart-sqlite/latest")
    }

    @Test func scenarioThatWasEditedIsRefusedAndOneThatIsNamedIsSaid() async throws {
        let folder = try TemporaryFolder()
        let path = try await run(in: folder)
        #expect(try await Rig.command(["check", path]).exitCode == 0)
        let scenario = try #require(SmallFile.text(path + "/scenario.yaml"))
        let edited = scenario.replacing(/\n  timeouts: [^\n]*/, with: "")
        #expect(edited != scenario)
        try SmallFile.write(Array(edited.utf8), to: path + "/scenario.yaml")
        let refused = try await Rig.command(["check", path])
        #expect(refused.exitCode == 2 && refused.errors.contains("this is not the scenario of the run"))
        let named = try await Rig.command(["check", path, "--scenario", path + "/scenario.yaml"])
        #expect(named.exitCode == 0 && named.output.contains("which is not the scenario of this run"))
        // The worst of several, and one answer for each.
        let both = try await Rig.command(["check", path, folder.path, "--json"])
        #expect(both.exitCode == 2)
        #expect(both.output.split(separator: "\"folder\"").count == 3)
    }

    @Test func exportReplacesFilesAndWritesThroughLinks() async throws {
        let folder = try TemporaryFolder()
        let path = try await run(in: folder)
        let target = folder.file("target.edn")
        try SmallFile.write(Array("old".utf8), to: target)
        #expect(try await Rig.command(["export", path, "--out", target]).exitCode == 0)
        let whole = try #require(SmallFile.text(target))
        #expect(whole.contains(":f :add"))
        let link = folder.file("link.edn")
        #expect(symlink(target, link) == 0)
        try SmallFile.write(Array("old".utf8), to: target)
        #expect(try await Rig.command(["export", path, "--out", link]).exitCode == 0)
        #expect(SmallFile.linkTarget(link) == target)
        #expect(SmallFile.text(target) == whole)
        #expect(SmallFile.names(in: folder.path)?.filter { $0.contains(".edn.") } == [])
    }

    @Test func nothingIsWrittenOfWhatIsNotWholeOrNotThere() async throws {
        let folder = try TemporaryFolder()
        let path = try await run(in: folder)
        let empty = try await Rig.command(["export", path, "--model", "bank"])
        #expect(empty.exitCode == 2 && empty.output.isEmpty)
        #expect(empty.errors.contains("transfer or pausing-transfer in its mix"))
        let stranger = try await Rig.command(["export", path, "--model", "mutex", "--connection", "999"])
        #expect(stranger.exitCode == 2 && stranger.errors.contains("connection 999"))
        var lines = try #require(SmallFile.text(path + "/history.jsonl")).split(separator: "\n").map(String.init)
        lines[20] = lines[20].replacing("\"t\":", with: "\"t\" :")
        try SmallFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: path + "/history.jsonl")
        let torn = try await Rig.command(["export", path])
        #expect(torn.exitCode == 2 && torn.output.isEmpty && torn.errors.contains("digest"))
    }
}
