import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Testing

/// What a CI service gets of a run: a JUnit file, annotations, a summary of the step.
@Suite(.timeLimit(.minutes(10)))
struct CIOutputSuite {
    /// Green, and short.
    private static let scenario = """
        name: green
        target: {sqlite: temporary}
        pool: {max-open: 4, acquire-timeout: 2s}
        workload: {clients: 4, rate: 100/s, mix: {append: 60, read: 40}}
        phases: {warm-up: 0s, steady: 1s, faults: 2s, settle: 1s}
        faults:
          - lock-database: {}
            at: 500ms
            for: 500ms
        invariants:
          zero-leaked-connections: {}
          retry-correctness: {}

        """

    private static func read(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test func oneFileHoldsTheResultsOfAllScenarios() async throws {
        let folder = try TemporaryFolder()
        let junit = folder.file("junit.xml")
        for (name, part, change) in [
            ("green", "name: green", "name: green"),
            ("violated", "  retry-correctness: {}", "  thresholds: {acquire.p50: < 1us}"),
            // A fault that cannot land: nobody writes while the database is locked.
            ("inconclusive", "append: 60, read: 40", "read: 1"),
            ("impossible", "sqlite: temporary", "postgres: {url: 'postgres://127.0.0.1:1/x'}"),
        ] {
            let changed = Self.scenario.replacing(part, with: change).replacing("name: green", with: "name: \(name)")
            try SmallFile.write(Array(changed.utf8), to: folder.file("\(name).yaml"))
        }
        let files = ["green", "violated", "inconclusive", "impossible"].map { folder.file("\($0).yaml") }
        let run = try await Rig.command(
            ["run"] + files + ["--keep-going", "--junit", junit, "--out", folder.path])
        #expect(run.exitCode == 1, "\(run.output)\(run.errors)")

        let schema = Rig.root + "/Tests/Fixtures/validators/junit.xsd"
        for file in [junit, folder.file("violated/latest/junit.xml")] {
            let lint = try await runProgram(
                path: "/usr/bin/env", arguments: ["xmllint", "--noout", "--schema", schema, file])
            #expect(lint.exitCode == 0, "\(lint.standardError)")
        }
        // As a CI service counts: by an XML reader of another language.
        let count = """
            import sys, xml.etree.ElementTree as tree
            for suite in tree.parse(sys.argv[1]).getroot():
                cases = suite.findall("testcase")
                red = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
                assert len(cases) == int(suite.get("tests")), suite.get("name")
                assert len(red) == int(suite.get("failures")) + int(suite.get("errors")), suite.get("name")
                print(suite.get("name"), len(cases), *sorted(case.get("name") for case in red), sep="|")
            """
        let seen = try await runProgram(path: "/usr/bin/env", arguments: ["python3", "-c", count, junit])
        #expect(seen.exitCode == 0, "\(seen.standardError)")
        let lines = seen.standardOutput.split(separator: "\n").map { $0.split(separator: "|").map(String.init) }
        try #require(lines.map { $0[0] } == ["green", "violated", "inconclusive", "impossible"])
        #expect(lines[0].count == 2, "\(lines[0])")
        #expect(lines[1].contains("thresholds"))
        #expect(lines[2].count > 2, "\(lines[2])")
        #expect(lines[3] == ["impossible", "1", "the run as a whole"])
    }

    @Test func gitHubGetsAnnotationsAndASummary() async throws {
        let folder = try TemporaryFolder()
        let summary = folder.file("summary.md")
        try SmallFile.write(Array("before\n".utf8), to: summary)
        let file = folder.file("violated.yaml")
        let text = Self.scenario.replacing("retry-correctness: {}", with: "thresholds: {acquire.p50: < 1us}")
        try SmallFile.write(Array(text.utf8), to: file)
        let line =
            try #require(
                text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.contains("thresholds:") })
            + 1
        let run = try await runProgram(
            path: "/usr/bin/env",
            arguments: [
                "GITHUB_ACTIONS=true", "GITHUB_STEP_SUMMARY=\(summary)", Rig.path, "run", file, "--json", "--out",
                folder.path,
            ], workingDirectory: folder.path, timeout: .seconds(120))
        #expect(run.exitCode == 1, "\(run.standardError)")
        // Standard output stays one JSON value.
        let report = try JSONValue(parsing: run.standardOutput)
        let annotations = run.standardError.split(separator: "\n").filter { $0.hasPrefix("::") }
        let expected = "::error file=violated.yaml,line=\(line),title=green%3A thresholds violated::"
        #expect(annotations.contains { $0.hasPrefix(expected) }, "\(annotations)")
        #expect(annotations.count == report["invariants"]?.arrayValue?.count { $0["verdict"] != "valid" })
        let page = try Self.read(summary)
        #expect(page.hasPrefix("before\n## ❌ green: invalid\n"))
        #expect(page.contains("| ❌ | thresholds |") && page.contains("chaosrig run "))

        // Elsewhere nothing of it.
        let plain = try await Rig.command(["run", file, "--out", folder.path])
        #expect(!plain.errors.contains("::error") && !plain.output.contains("::error"))
        #expect(try Self.read(summary) == page)
    }

    @Test("Scenarios that cannot be read are told wherever results go, all of them, and nothing is started")
    func brokenScenariosAreTold() async throws {
        let folder = try TemporaryFolder()
        let (summary, junit) = (folder.file("summary.md"), folder.file("all.xml"))
        for (name, text) in [
            ("green", Self.scenario), ("typo", Self.scenario.replacing("max-open", with: "max-opn")),
            ("torn", Self.scenario.replacing("rate: 100/s", with: "rate: many")),
        ] {
            try SmallFile.write(Array(text.utf8), to: folder.file("\(name).yaml"))
        }
        try SmallFile.write(Array("of the job before\n".utf8), to: junit)
        let run = try await runProgram(
            path: "/usr/bin/env",
            arguments: [
                "GITHUB_ACTIONS=true", "GITHUB_STEP_SUMMARY=\(summary)", Rig.path, "run", "green.yaml", "typo.yaml",
                "torn.yaml", "--keep-going", "--json", "--junit", junit,
            ], workingDirectory: folder.path, timeout: .seconds(60))
        #expect(run.exitCode == 2, "\(run.standardError)")
        for start in ["::error file=typo.yaml,line=3,title=typo did not run::", "::error file=torn.yaml,line=4,"] {
            #expect(run.standardError.split(separator: "\n").contains { $0.hasPrefix(start) }, "\(run.standardError)")
        }
        let page = try Self.read(summary)
        #expect(page.contains("typo did not run") && page.contains("torn did not run"), "\(page)")
        let xml = try Self.read(junit)
        #expect(xml.components(separatedBy: "<error message=\"did not run\"").count == 3, "\(xml)")
        #expect(xml.contains("<skipped message=\"not run\"") && xml.contains("errors=\"2\""), "\(xml)")
        let schema = Rig.root + "/Tests/Fixtures/validators/junit.xsd"
        let lint = try await runProgram(
            path: "/usr/bin/env", arguments: ["xmllint", "--noout", "--schema", schema, junit])
        #expect(lint.exitCode == 0, "\(lint.standardError)")
        let values = try JSONValue(parsing: run.standardOutput).arrayValue
        #expect(values?.map { $0["scenario"]?.stringValue } == ["typo", "torn"])
        #expect(!SmallFile.exists(folder.file("runs")))
    }

    @Test("A port of the metrics that is in use is told of every scenario")
    func aBusyPortIsTold() async throws {
        let folder = try TemporaryFolder()
        try SmallFile.write(Array(Self.scenario.utf8), to: folder.file("green.yaml"))
        let junit = folder.file("all.xml")
        let taken = try EchoServer()
        defer { taken.stop() }
        let run = try await runProgram(
            path: "/usr/bin/env",
            arguments: [
                "GITHUB_ACTIONS=true", Rig.path, "run", "green.yaml", "--metrics", "127.0.0.1:\(taken.port)", "--junit",
                junit,
            ], workingDirectory: folder.path, timeout: .seconds(60))
        #expect(run.exitCode == 3, "\(run.standardError)")
        #expect(run.standardError.contains("::error file=green.yaml,line=1,title=green did not run::--metrics"))
        #expect(try Self.read(junit).contains("<error message=\"did not run\""))
    }

    @Test("Scenarios whose turn never came are told, and are skipped in the JUnit file")
    func unrunScenariosAreTold() async throws {
        let folder = try TemporaryFolder()
        let (first, junit) = (folder.file("impossible.yaml"), folder.file("all.xml"))
        let impossible = Self.scenario.replacing(
            "sqlite: temporary", with: "postgres: {url: 'postgres://127.0.0.1:1/x'}")
        try SmallFile.write(Array(impossible.utf8), to: first)
        try SmallFile.write(Array(Self.scenario.utf8), to: folder.file("green.yaml"))
        let next = folder.file("green.yaml")
        let run = try await Rig.command(
            ["run", first, next, next, "--quiet", "--junit", junit, "--out", folder.file("runs")])
        #expect(run.exitCode == 3)
        #expect(run.errors.contains("2 scenarios not run (--keep-going goes on)"), "\(run.errors)")
        #expect(try Self.read(junit).components(separatedBy: "<skipped").count == 3)
    }

    @Test("Results that standard output does not take are missed; a reader that has gone away is not")
    func aFullDiskBehindStandardOutputIsTold() async throws {
        func shell(_ script: String) async throws -> ProgramResult {
            try await runProgram(
                path: "/bin/bash", arguments: ["-c", script, "bash", Rig.path], timeout: .seconds(60))
        }
        let full = try await shell("\"$1\" list faults >/dev/full")
        #expect(full.exitCode == 5)
        #expect(
            full.standardError == "chaosrig: cannot write to standard output: No space left on device\n",
            "\(full.standardError)")
        // The reader is gone before the first line: the pipe has no other end.
        let gone = try await shell("exec 3> >(:); wait $!; \"$1\" list faults >&3")
        #expect(gone.exitCode == 0 && gone.standardError.isEmpty, "\(gone.standardError)")
    }

    @Test func whatIsNotItsOwnIsNoCommandInALog() async throws {
        let folder = try TemporaryFolder()
        let run = try await runProgram(
            path: "/usr/bin/env",
            arguments: [
                "GITHUB_ACTIONS=true", Rig.path, "run", "no\n::stop-commands::x\r##[error]\u{1B}[2J.yaml", "--out",
                folder.path,
            ], workingDirectory: folder.path)
        #expect(run.exitCode == 2 && run.standardError.contains("stop-commands"), "\(run.standardError)")
        let orders = run.standardError.split(separator: "\n").filter {
            $0.hasPrefix("::") && !$0.hasPrefix("::error file=")
        }
        #expect(orders == [] && !run.standardError.contains("\u{1B}") && !run.standardError.contains("\r"))
        let old = run.standardError.split(separator: "\n").filter {
            $0.contains("##[") && !$0.hasPrefix("::error file=")
        }
        #expect(old == [], "\(run.standardError)")
    }
}
