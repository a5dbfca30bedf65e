import Foundation
import HostSystem
import RigTestSupport
import Testing

/// What the program says about itself, as other programs read it: shells, man, people.
@Suite(.timeLimit(.minutes(10)))
struct HelpSuite {
    private static let commands = [
        "init", "run", "soak", "replay", "check", "validate", "report", "compare", "list", "schema", "doctor", "heal",
        "export", "proxy", "simulate", "selftest", "bench", "completions", "manual", "version",
    ]

    private static func shell(_ program: String, _ arguments: [String], input: String = "") async throws
        -> ProgramResult
    {
        try await runProgram(
            path: "/usr/bin/env", arguments: [program] + arguments, workingDirectory: Rig.root, timeout: .seconds(120),
            standardInput: Array(input.utf8))
    }

    /// The options that a help text shows: what stands at the beginning of its lines.
    private static func options(_ help: String) -> [String] {
        help.split(separator: "\n").compactMap { line in
            line.hasPrefix("  --") ? line.split(separator: " ").first.map(String.init) : nil
        }
    }

    @Test func overviewNamesEveryCommandAndEachHasHelp() async throws {
        let overview = try await Rig.command(["--help"]).output
        let listed = overview.split(separator: "\n").drop { $0 != "Commands:" }.dropFirst().prefix {
            $0.hasPrefix("  ")
        }
        #expect(listed.compactMap { $0.split(separator: " ").first.map(String.init) } == Self.commands + ["help"])
        for command in Self.commands {
            let help = try await Rig.command([command, "--help"])
            #expect(help.exitCode == 0 && help.output.hasPrefix("Usage: chaosrig \(command)"))
            #expect(help.output.contains("\nExample"))
            // No option without words.
            let lines = help.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            for (index, line) in lines.enumerated() where line.hasPrefix("  --") {
                let beside = line.dropFirst(2).split(separator: "  ", maxSplits: 1).count == 2
                #expect(beside || lines[index + 1].hasPrefix("      "), "\(command): \(line)")
            }
        }
    }

    @Test func helpFitsNarrowTerminals() async throws {
        for command in Self.commands {
            let result = try await Self.shell("env", ["COLUMNS=50", Rig.path, command, "--help"])
            let text = result.standardOutput.split(separator: "\nExample").first ?? ""
            let labels = ["  --", "Usage", "       chaosrig"]
            for line in text.split(separator: "\n") where line.count > 50 {
                #expect(labels.contains { line.hasPrefix($0) } && !line.dropFirst(2).contains("  "), "\(line)")
            }
        }
    }

    @Test func manualIsCleanForManGroffAndMandoc() async throws {
        let page = try await Rig.command(["manual"]).output
        for check in [
            ["groff", "-ww", "-man", "-Tutf8", "-z"], ["mandoc", "-Tlint", "-Wwarning"],
            ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-"],
        ] {
            let result = try await Self.shell(check[0], Array(check.dropFirst()), input: page)
            let isShown = check[0] == "man" && result.exitCode == 0 && !result.standardOutput.isEmpty
            #expect(result.exitCode == 0 && result.standardError.isEmpty, "\(check): \(result.standardError)")
            #expect(isShown || result.standardOutput.isEmpty, "\(check): \(result.standardOutput)")
        }
        for name in [
            "CHAOSRIG_STAGE", "LOG_LEVEL", "report.html", "server.log", "journal.jsonl", "results.db", "soak.json",
        ] {
            #expect(page.replacing("\\-", with: "-").contains(name), "\(name)")
        }
        // Every command and every option that --help knows.
        let text = page.replacing("\\-", with: "-")
        for command in Self.commands {
            #expect(text.contains(".SS chaosrig \(command)\n"))
            let section = text.components(separatedBy: ".SS chaosrig \(command)\n")[1].components(separatedBy: "\n.S")[
                0]
            for option in Self.options(try await Rig.command([command, "--help"]).output) {
                #expect(section.contains("\\fB\(option)\\fR"), "\(command) \(option)")
            }
        }
    }

    @Test(
        "The shells themselves find no mistake in their completions",
        arguments: [
            ["bash", "-n"], ["zsh", "-n"], ["fish", "--no-execute"],
        ])
    func completionsParse(_ shell: [String]) async throws {
        let folder = try TemporaryFolder()
        let file = folder.file("completions")
        let script = try await Rig.command(["completions", shell[0]]).output
        try SmallFile.write(Array(script.utf8), to: file)
        let result = try await Self.shell(shell[0], [shell[1], file])
        #expect(result.exitCode == 0 && result.standardError.isEmpty, "\(result.standardError)")
        for command in Self.commands {
            #expect(script.contains(command))
            for option in Self.options(try await Rig.command([command, "--help"]).output) {
                let name = shell[0] == "fish" ? "-l \(option.dropFirst(2))" : option
                #expect(script.contains(name), "\(command) \(option)")
            }
        }
    }

    private struct Completion: Sendable, CustomTestStringConvertible {
        let line: [String]
        /// Some of what is offered.
        let offered: [String]
        var refused: [String] = []
        var testDescription: String { line.joined(separator: " ") }
    }

    private static let completions = [
        Completion(line: [""], offered: ["run", "replay", "help"], refused: ["--seed"]),
        Completion(line: ["re"], offered: ["replay"], refused: ["run"]),
        Completion(line: ["run", "--se"], offered: ["--seed", "--set"], refused: ["--json"]),
        Completion(line: ["run", "faults/db-"], offered: ["faults/db-restart.yaml"], refused: ["faults/reset.yaml"]),
        Completion(line: ["run", ""], offered: ["faults", "faults/db-restart.yaml"], refused: ["Makefile"]),
        Completion(line: ["export", "--model", "l"], offered: ["list-append"], refused: ["set"]),
        Completion(line: ["export", "--model", "="], offered: ["list-append", "set"]),
        Completion(line: ["export", "--format", "=", "e"], offered: ["edn"], refused: ["json"]),
        Completion(line: ["completions", ""], offered: ["bash", "zsh", "fish"]),
        Completion(line: ["list", "--"], offered: ["--json", "--markdown", "--help"]),
        Completion(line: ["help", "val"], offered: ["validate"]),
        Completion(line: ["replay", "runs/"], offered: ["runs/some/20260101T000000Z-7"], refused: ["runs/some/empty"]),
        Completion(line: ["run", "--", "r"], offered: ["runs"], refused: ["run"]),
        Completion(line: ["run", "--", "faults/r"], offered: ["faults/reset.yaml"]),
        Completion(line: ["run", "--", "--se"], offered: [], refused: ["--seed"]),
    ]

    @Test("Bash offers what fits", arguments: completions)
    private func bashCompletes(_ row: Completion) async throws {
        // A folder of its own, with scenarios and one run.
        let folder = try TemporaryFolder()
        let script = try await Rig.command(["completions", "bash"]).output
        try SmallFile.write(Array(script.utf8), to: folder.file("completions.bash"))
        let words = row.line.map { "'\($0)'" }.joined(separator: " ")
        let drive = """
            set -eu
            cd '\(folder.path)'
            mkdir -p faults runs/some/20260101T000000Z-7 runs/some/empty
            touch faults/db-restart.yaml faults/reset.yaml Makefile runs/some/20260101T000000Z-7/history.jsonl
            set +eu
            source completions.bash
            COMP_WORDS=(chaosrig \(words))
            COMP_CWORD=\(row.line.count)
            function=$(complete -p chaosrig | sed -n 's/.*-F \\([^ ]*\\) .*/\\1/p')
            "$function" chaosrig
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        let result = try await Self.shell("bash", ["--norc", "-c", drive])
        #expect(result.exitCode == 0 && result.standardError.isEmpty, "\(result.standardError)")
        let offered = result.standardOutput.split(separator: "\n").map(String.init)
        for word in row.offered { #expect(offered.contains(word), "\(offered)") }
        for word in row.refused { #expect(!offered.contains(word), "\(offered)") }
        #expect(Set(offered).count == offered.count, "twice: \(offered)")
    }

    private static let fishCompletions = [
        Completion(line: ["re"], offered: ["replay"], refused: ["run"]),
        Completion(line: [""], offered: ["run", "help"], refused: ["faults/db-restart.yaml"]),
        Completion(line: ["--"], offered: ["--version", "--help"], refused: ["--seed"]),
        Completion(line: ["help", ""], offered: ["validate", "replay"]),
        Completion(line: ["export", "--model", ""], offered: ["list-append"], refused: ["Makefile"]),
        Completion(line: ["replay", ""], offered: ["runs/some/20260101T000000Z-7"], refused: ["runs/some/empty"]),
        Completion(
            line: ["run", ""], offered: ["faults/db-restart.yaml", "faults/"], refused: ["Makefile", "real.py"]),
        Completion(line: ["run", "faults/r"], offered: ["faults/reset.yaml"], refused: ["faults/real.py"]),
        // A file that is called as a command is.
        Completion(line: ["validate", "run", "--"], offered: ["--resolved"], refused: ["--keep-going", "--version"]),
    ]

    @Test("Fish offers what fits", arguments: fishCompletions)
    private func fishCompletes(_ row: Completion) async throws {
        let folder = try TemporaryFolder()
        try SmallFile.write(
            Array(try await Rig.command(["completions", "fish"]).output.utf8), to: folder.file("c.fish"))
        let drive = """
            cd '\(folder.path)'
            mkdir -p faults runs/some/20260101T000000Z-7 runs/some/empty
            touch faults/db-restart.yaml faults/reset.yaml faults/real.py Makefile real.py
            touch runs/some/20260101T000000Z-7/history.jsonl
            source c.fish
            complete -C 'chaosrig \(row.line.joined(separator: " "))'
            """
        let result = try await Self.shell("env", ["HOME=\(folder.path)", "fish", "--no-config", "-c", drive])
        #expect(result.standardError.isEmpty, "\(result.standardError)")
        let offered = result.standardOutput.split(separator: "\n").map { line in
            String(line.prefix { $0 != "\t" })
        }
        for word in row.offered { #expect(offered.contains(word), "\(offered)") }
        for word in row.refused { #expect(!offered.contains(word), "\(offered)") }
    }

    @Test("Where there are no runs and no scenarios yet fish complains of nothing", arguments: ["replay", "run"])
    func fishIsSilentInAnEmptyFolder(_ command: String) async throws {
        let folder = try TemporaryFolder()
        try SmallFile.write(
            Array(try await Rig.command(["completions", "fish"]).output.utf8), to: folder.file("c.fish"))
        let drive = "cd '\(folder.path)'; source c.fish; complete -C 'chaosrig \(command) '"
        let result = try await Self.shell("env", ["HOME=\(folder.path)", "fish", "--no-config", "-c", drive])
        #expect(result.standardError.isEmpty, "\(result.standardError)")
    }

    @Test("docs/scenario.md says what the reader goes by")
    func settingsReferenceIsInStep() async throws {
        let printed = try await Rig.command(["list", "settings", "--markdown"])
        let document = try String(contentsOfFile: Rig.root + "/docs/scenario.md", encoding: .utf8)
        let parts = document.components(separatedBy: "<!-- from here on: chaosrig list settings --markdown -->\n\n")
        #expect(parts.count == 2 && parts.last == printed.output, "write what the program prints below the marker")
    }

    @Test func zshLoadsItsCompletions() async throws {
        let folder = try TemporaryFolder()
        let file = folder.file("_chaosrig")
        try SmallFile.write(Array(try await Rig.command(["completions", "zsh"]).output.utf8), to: file)
        // Sourced, and found by the completion system itself.
        for load in ["source '\(file)'", "true"] {
            let drive =
                "fpath=('\(folder.path)' $fpath); autoload -Uz compinit; compinit -u -d '\(folder.file("dump"))'; \(load); "
                + "print -r -- $_comps[chaosrig]"
            let result = try await Self.shell("zsh", ["-f", "-c", drive])
            #expect(result.standardOutput == "_chaosrig\n" && result.standardError.isEmpty, "\(result.standardError)")
        }
    }

    @Test func installPutsManualAndCompletionsWhereTheyAreLookedFor() async throws {
        let folder = try TemporaryFolder()
        // The program that is tested stands in for the release, which takes minutes to build.
        func make(_ goal: String) async throws -> ProgramResult {
            try await Self.shell(
                "make", [goal, "--assume-old=build", "CHAOSRIG=\(Rig.path)", "PREFIX=\(folder.path)"])
        }
        let installed = try await make("install")
        #expect(installed.exitCode == 0, "\(installed.standardError)")
        let files = [
            "bin/chaosrig", "share/man/man1/chaosrig.1", "share/bash-completion/completions/chaosrig",
            "share/zsh/site-functions/_chaosrig", "share/fish/vendor_completions.d/chaosrig.fish",
        ]
        for file in files {
            #expect(installed.standardOutput.contains("Installed \(folder.file(file))\n"))
            #expect(FileManager.default.fileExists(atPath: folder.file(file)), "\(file)")
        }
        let shown = try await Self.shell(
            "env", ["MANPATH=\(folder.file("share/man"))", "MANPAGER=cat", "MANWIDTH=80", "man", "chaosrig"])
        #expect(shown.exitCode == 0 && shown.standardOutput.contains("does your connection handling survive"))
        #expect(try await make("uninstall").exitCode == 0)
        for file in files { #expect(!FileManager.default.fileExists(atPath: folder.file(file)), "\(file)") }
    }
}
