import HostSystem
import RigModel
import RigTestSupport
import Testing

@testable import SelfTest

/// One trial in its process, with a script in the place of the rig.
@Suite struct TrialProcessTests {
    private static let report = #"{"verdict":"valid","invariants":[],"notes":[]}"#
    private static let latest = "kill-connections/latest"

    /// Runs a script as the rig, in the folder `run` of a folder that the test may have filled.
    private func result(_ script: String, in folder: TemporaryFolder) async throws -> TrialResult {
        // Written by a process of its own: while this one has it open for writing, a child of another test may hold that
        // descriptor for a moment, and then it cannot be run.
        let program = folder.file("rig")
        let writer = #"printf '#!/bin/sh\n%s' "$1" > "$2" && chmod 755 "$2""#
        let written = try await runProgram(
            path: "/bin/sh", arguments: ["-c", writer, "sh", script, program], timeout: .seconds(60))
        try #require(written.exitCode == 0, "\(written.standardError)")
        return await TrialProcess(
            program: program, scenarios: "faults", folder: folder.file("run"), seed: 1,
            run: TrialRun(defect: nil, trial: .killed)
        ).result(isInterrupted: { false })
    }

    /// What a run leaves that ends with this code.
    private func script(exit code: Int, in folder: TemporaryFolder) -> String {
        let place = folder.file("run/" + Self.latest)
        return "mkdir -p '\(place)'; echo '\(Self.report)' > '\(place)/report.json'; exit \(code)"
    }

    @Test("The report of an earlier self-test is not taken for that of a run that came to none")
    func earlierReport() async throws {
        let folder = try TemporaryFolder()
        #expect(try await result(script(exit: 0, in: folder), in: folder).end == .good)
        let second = try await result("echo 'no such key' >&2; exit 2", in: folder)
        #expect(second.end == .failed)
        #expect(second.words == "no run to judge (exit status 2): no such key\n")
    }

    @Test("A run that could not undo what it did is no green run, although it has a green report", arguments: [5, 70])
    func endedOtherwise(_ code: Int) async throws {
        let folder = try TemporaryFolder()
        let result = try await result(script(exit: code, in: folder), in: folder)
        #expect(result.end == .failed && result.words.hasPrefix("no run to judge (exit status \(code))"))
    }

    @Test("A folder that is not a self-test's is left as it is")
    func foreignFolder() async throws {
        let folder = try TemporaryFolder()
        try SmallFile.makeFolder(folder.file("run"))
        try SmallFile.write(Array("mine".utf8), to: folder.file("run/precious"))
        let result = try await result(script(exit: 0, in: folder), in: folder)
        #expect(result.end == .failed && result.words.contains("name another folder with --out"))
        #expect(SmallFile.text(folder.file("run/precious")) == "mine")
    }
}
