import Foundation
import HostSystem
import RigTestSupport
import Testing

/// The tutorial, done as its reader does it: the same commands in the same order, with the exit codes and the first lines of
/// output that it shows. Only the runs are shorter, and their limits are those of a loaded machine.
@Suite(.timeLimit(.minutes(10)))
struct TutorialSuite {
    private static func tutorial() throws -> Tutorial {
        Tutorial(try String(contentsOfFile: Rig.root + "/docs/tutorial.md", encoding: .utf8))
    }

    /// For every run but a replay, which takes them from the run folder.
    private static let short = [
        "phases={warm-up: 300ms, steady: 1s, faults: 4500ms, settle: 6s}", "workload.rate=100/s",
        "invariants.recovery={within: 20s, throughput: 30%}", "invariants.timeouts.tolerance=20s",
        "pool.acquire-timeout=20s",
    ]

    /// Does these steps in one folder, where the repository's scenarios are, too.
    private func follow(_ sections: some Sequence<Tutorial.Section>) async throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("faults"), withDestinationPath: Rig.root + "/faults")
        try FileManager.default.createSymbolicLink(atPath: folder.file("chaosrig"), withDestinationPath: Rig.path)
        let changes = Self.short.map { " --set '\($0)'" }.joined()
        for section in sections {
            var printed = ""
            for step in section.steps {
                switch step {
                case .write(let file, let text): try SmallFile.write(Array(text.utf8), to: folder.file(file))
                case .command(let line, let exitCode):
                    let command = line.hasPrefix("chaosrig run ") ? line + changes : line
                    let result = try await runProgram(
                        path: "/bin/sh", arguments: ["-c", "PATH=\"$PWD:$PATH\"; \(command)"],
                        workingDirectory: folder.path, timeout: .seconds(180))
                    #expect(
                        result.exitCode == exitCode,
                        "\(section.title): \(command)\n\(result.standardOutput)\(result.standardError)")
                    // Nothing in it stays silent but `sed`.
                    #expect(command.hasPrefix("sed ") || !(result.standardOutput + result.standardError).isEmpty)
                    printed += result.standardOutput + result.standardError
                case .shows(let line): #expect(printed.contains(line + "\n"), "\(section.title): \(line)\n\(printed)")
                }
            }
        }
    }

    @Test func firstRunIsAsTheTutorialSays() async throws {
        try await follow(Self.tutorial().sections[1...2])
    }

    @Test func readerFindsTheBugAndFixesIt() async throws {
        try await follow(Self.tutorial().sections[3...])
    }

    @Test func tutorialHasEightStepsAndSaysWhichCommandsFail() throws {
        let sections = try Self.tutorial().sections
        #expect(sections.map { String($0.title.prefix(2)) } == (1...8).map { "\($0)." })
        #expect(sections.allSatisfy { !$0.steps.isEmpty })
        let codes = sections.map { section in
            section.steps.compactMap { if case .command(_, let code) = $0 { code } else { nil } }
        }
        #expect(codes == [[0, 0, 0, 0], [0], [0, 0], [0, 0, 0], [0, 2, 1], [0, 1], [1, 0, 1], [0, 0]])
    }
}
