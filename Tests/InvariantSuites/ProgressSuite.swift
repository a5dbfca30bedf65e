import Foundation
import HostSystem
import RigTestSupport
import Testing

/// How a run shows how it goes: on a terminal (a pseudo-terminal of `script`), on a narrow one, and without one.
@Suite(.timeLimit(.minutes(10)))
struct ProgressSuite {
    /// A run of some seconds that needs no server.
    private static let scenario = [
        "faults/quickstart-sqlite.yaml", "--set", "phases={warm-up: 0s, steady: 2s, faults: 3s, settle: 1s}", "--set",
        "invariants={zero-leaked-connections: {}}",
    ]

    /// Runs on a terminal of so many columns.
    ///
    /// - Returns: all that reached the terminal.
    private static func onTerminal(
        columns: Int, _ environment: [String] = [], beside: String = "true", before: String = "", also: [String] = []
    ) async throws -> String {
        let folder = try TemporaryFolder()
        let words = [Rig.path, "run"] + scenario + also + ["--out", folder.path]
        let command =
            "stty cols \(columns) rows 24; \(beside); \(before) \(words.map { "'\($0)'" }.joined(separator: " "))"
        let result = try await runProgram(
            path: "/usr/bin/env",
            arguments: ["-u", "CI", "-u", "NO_COLOR", "TERM=xterm"] + environment + [
                "script", "-qefc", command, "/dev/null",
            ], workingDirectory: Rig.root, timeout: .seconds(180))
        #expect(result.exitCode == 0, "\(result.standardOutput)\(result.standardError)")
        return result.standardOutput
    }

    private static var escape: Regex<Substring> { #/\u{1B}\[[0-9;]*[A-Za-z]/# }

    /// The states of the line that is redrawn, as they are seen.
    private static func statusLines(_ output: String) -> [String] {
        output.components(separatedBy: "\r\u{1B}[J").compactMap { part in
            part.split(omittingEmptySubsequences: false) { $0.isNewline }.first.map {
                String($0).replacing(escape, with: "")
            }
        }.filter { $0.contains("/s | ") || $0.contains(" ok/s") }
    }

    @Test func terminalShowsOneLineWithEverything() async throws {
        let output = try await Self.onTerminal(columns: 160)
        let lines = Self.statusLines(output)
        #expect(lines.count >= 8, "\(output)")
        let line =
            #/(steady|faults|settle) \d+ s left \| \d+ ok\/s \| p99 [\d.]+ (µs|ms|s) \| open \d+ idle \d+ in use \d+ waiting \d+.*/#
        #expect(lines.contains { $0.wholeMatch(of: line) != nil }, "\(lines)")
        #expect(lines.contains { $0.hasSuffix("| lock-database #0") }, "\(lines)")
        #expect(output.contains("\u{1B}[1m"))
        // Nothing of it stays: the summary begins at the beginning of a line.
        #expect(output.contains("\r\u{1B}[J\u{1B}[32m✓ VALID\u{1B}[0m"), "\(output.suffix(3000))")
    }

    @Test(arguments: [40, 60]) func narrowTerminalIsNeverOverrun(_ columns: Int) async throws {
        let lines = Self.statusLines(try await Self.onTerminal(columns: columns))
        #expect(lines.count >= 8)
        for line in lines { #expect(line.count < columns, "\(line)") }
        #expect(lines.contains { $0.contains("lock-database #0") }, "\(lines)")
    }

    @Test func lineFollowsATerminalThatIsMadeNarrower() async throws {
        let output = try await Self.onTerminal(
            columns: 160, beside: "{ (sleep 3; stty cols 40 </dev/tty) & }")
        let widths = Self.statusLines(output).map(\.count)
        #expect(widths.contains { $0 > 60 } && (widths.last ?? 100) < 40, "\(widths)")
        // The line that the terminal broke is taken away whole: two or three rows.
        #expect(output.contains(#/\u{1B}\[[12]A\r\u{1B}\[J/#))
    }

    @Test("What keeps each line gets plain lines", arguments: ["CI=true", "TERM=dumb", "-u TERM"])
    func whatKeepsEachLineGetsPlainLines(_ change: String) async throws {
        let output = try await Self.onTerminal(columns: 100, before: "env \(change)")
        #expect(!output.contains("\u{1B}"), "\(output)")
        #expect(output.contains("phase faults for 3 s"))
        #expect(output.split { $0.isNewline }.contains { $0.contains(" | lock-database #0") }, "\(output)")
    }

    @Test func plainLinesFollowATerminalThatIsMadeNarrower() async throws {
        let output = try await Self.onTerminal(
            columns: 160, beside: "{ (sleep 4; stty cols 40 </dev/tty) & }", before: "env TERM=dumb",
            // A line for each of the faults: some before, some behind.
            also: [
                "--set", "phases={warm-up: 0s, steady: 1s, faults: 9s, settle: 1s}", "--set",
                "faults=[{lock-database: {}, at: 0s, every: 1s, for: 300ms}]",
            ])
        let widths = output.split { $0.isNewline }.filter { $0.contains("/s | ") || $0.contains(" ok/s") }.map(\.count)
        #expect(widths.contains { $0 > 60 } && (widths.last ?? 100) < 40, "\(output)")
    }

    @Test func noColorIsRespected() async throws {
        let output = try await Self.onTerminal(columns: 100, ["NO_COLOR=1"])
        #expect(Self.statusLines(output).count >= 8)
        #expect(!output.contains("m✓") && !output.contains("\u{1B}[1m") && output.contains("✓ VALID"))
    }

    @Test func withoutTerminalLinesArePlainAndResultsApart() async throws {
        let folder = try TemporaryFolder()
        let run = try await Rig.command(["run"] + Self.scenario + ["--out", folder.path])
        #expect(run.exitCode == 0 && !run.output.contains("\u{1B}") && !run.errors.contains("\u{1B}"))
        #expect(run.errors.contains("phase settle for 1 s\n") && !run.errors.contains("\r"))
        #expect(run.output.hasPrefix("✓ VALID"))
    }

    @Test func leaksShowWhileTheRunGoesOn() async throws {
        let folder = try TemporaryFolder()
        let run = try await Rig.command([
            "run", "faults/quickstart-sqlite.yaml", "--out", folder.path, "--set", "workload.mix={append: 50, leak: 1}",
            "--set", "pool.leak-threshold=200ms", "--set", "phases={warm-up: 0s, steady: 7s, faults: 0s, settle: 0s}",
            "--set", "faults=[]", "--set", "invariants={zero-leaked-connections: {}}",
        ])
        #expect(run.exitCode == 1, "\(run.output)\(run.errors)")
        let steady = run.errors.split(separator: "\n").filter { $0.hasPrefix("steady") }
        #expect(steady.contains { $0.firstMatch(of: #/\| \d+ findings?$/#) != nil }, "\(run.errors)")
    }
}
