import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Testing

/// The commands that make the others easy, on the real program.
@Suite(.timeLimit(.minutes(10)))
struct EaseSuite {
    /// A run of a second or two that needs no server.
    private static let short = [
        "--set", "target={sqlite: temporary}", "--set", "phases={warm-up: 0s, steady: 1s, faults: 1s, settle: 1s}",
        "--set",
        "faults=[]", "--set", "invariants={zero-leaked-connections: {}, retry-correctness: {}}", "--set",
        "workload.rate=100/s",
    ]

    private static func schema() async throws -> JSONValue {
        try JSONValue(parsing: try await Rig.command(["schema"]).output)
    }

    // MARK: Schema

    @Test("Every shipped scenario, read as an editor reads it, and as a script does that knows YAML 1.1 only")
    func schemaAcceptsEveryShippedScenario() async throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Rig.root + "/faults").filter {
            $0.hasSuffix(".yaml")
        }
        #expect(names.count > 30)
        let validator = try await SchemaValidator(Self.schema())
        for reader in [SchemaValidator.Reader.editor, .yaml11] {
            let complaints = try await validator.complaints(
                aboutFiles: names.map { Rig.root + "/faults/" + $0 }, as: reader)
            for (name, complaint) in zip(names, complaints) {
                #expect(complaint == nil, "\(name): \(complaint ?? "")")
            }
        }
    }

    @Test("The resolved form, too, whose keys a reader of YAML 1.1 must not take for booleans")
    func schemaAcceptsResolvedScenarios() async throws {
        let folder = try TemporaryFolder()
        var resolved: [String] = []
        for name in ["db-restart", "sqlite-io", "error-injection"] {
            resolved.append(try await Rig.command(["validate", "--resolved", "faults/\(name).yaml"]).output)
        }
        let text = """
            target: {postgres: managed}
            workload: {mix: {append: 1}}
            phases: {faults: 9s}
            faults: [{inject-error: {"on": Query, sqlstate: "57P01"}, at: 1s, for: 1s}]
            """
        try SmallFile.write(Array(text.utf8), to: folder.file("on.yaml"))
        let on = try await Rig.command(["validate", "--resolved", folder.file("on.yaml")])
        #expect(on.exitCode == 0 && on.output.contains("\"on\": "), "\(on.errors)")
        let complaints = try await SchemaValidator(Self.schema()).complaints(about: resolved + [on.output], as: .yaml11)
        #expect(complaints.allSatisfy { $0 == nil }, "\(complaints)")
    }

    @Test("Several resolved scenarios are documents of one stream")
    func resolvedScenariosAreSeparated() async throws {
        let result = try await Rig.command([
            "validate", "--resolved", "faults/quickstart-sqlite.yaml", "faults/sqlite-io.yaml",
        ])
        #expect(result.output.components(separatedBy: "\n---\n").count == 2)
        #expect(!result.output.hasPrefix("---"))
    }

    private static let good = """
        name: checkout
        target: {postgres: managed, tls: true}
        pool: {max-open: 5, max-lifetime: 30s}
        workload: {rate: 200/s, mix: {append: 60, read: 40}, behaviour: {cancel: {share: 5%, at: commit}}}
        phases: {faults: 10s}
        faults:
          - restart: {mode: immediate, down-for: 2s}
            at: 2s
          - random:
              - kill-connections: {count: 50%}
                weight: 3
              - freeze: {}
                for: 1s
            every: 2s
        invariants:
          recovery: {within: 5s}
          thresholds:
            acquire.p99: < 50ms in fault none

        """

    /// What is replaced, and by what.
    private static let mistakes: [(String, String)] = [
        ("name: checkout", "name: a/b"), ("postgres: managed", "postgres: manged"), ("tls: true", "tls: maybe"),
        ("tls: true", "tsl: true"), ("target: {postgres: managed, tls: true}\n", ""),
        ("postgres: managed, tls: true", "postgres: managed, sqlite: temporary"), ("max-open: 5", "max-open: 5s"),
        ("max-open: 5", "max-opn: 5"), ("max-open: 5", "max-open: 0"), ("rate: 200/s", "rate: 0/s"),
        ("rate: 200/s", "clients: 0"), ("every: 2s", "every: 0s"), ("    at: 2s\n", "    times: 0\n"),
        ("max-lifetime: 30s", "max-lifetime: 30"), ("rate: 200/s", "rate: 200"),
        ("mix: {append: 60, read: 40}, ", ""), ("append: 60", "apend: 60"), ("append: 60", "append: much"),
        ("share: 5%", "share: 5s"), ("share: 5%, ", ""), ("at: commit", "at: lunch"), ("faults: 10s", "faults: 10MB/s"),
        ("restart:", "restrat:"), ("mode: immediate", "mode: slowly"), ("mode: immediate", "mod: immediate"),
        ("at: 2s", "at: two"), ("weight: 3", "weight: three"), ("weight: 3", "at: 3s"), ("count: 50%", "count: half"),
        ("    at: 2s\n", "    at: 2s\n    for: 3s\n"), ("        for: 1s\n", ""), ("every: 2s", "evry: 2s"),
        ("recovery: {within: 5s}", "recovery: {within: 5}"), ("recovery: {within: 5s}", "recvery: {within: 5s}"),
        ("acquire.p99: < 50ms in fault none", "acquire.p99: 50ms"), ("acquire.p99:", "acquire.p98:"),
        ("- restart: {mode: immediate, down-for: 2s}", "- restart: {}\n    freeze: {}"),
    ]

    @Test func schemaRejectsWhatValidateRejects() async throws {
        let broken = Self.mistakes.map { Self.good.replacing($0.0, with: $0.1) }
        #expect(broken.allSatisfy { $0 != Self.good })
        let complaints = try await SchemaValidator(Self.schema()).complaints(about: [Self.good] + broken)
        #expect(complaints[0] == nil, "\(complaints[0] ?? "")")
        let folder = try TemporaryFolder()
        let file = folder.file("scenario.yaml")
        for ((mistake, text), complaint) in zip(zip(Self.mistakes, broken), complaints.dropFirst()) {
            #expect(complaint != nil, "the schema accepts \(mistake.1)")
            try SmallFile.write(Array(text.utf8), to: file)
            #expect(try await Rig.command(["validate", file]).exitCode == 2, "validate accepts \(mistake.1)")
        }
    }

    @Test func reportIsAsItsSchemaSays() async throws {
        let schema = try JSONValue(
            parsing: try String(contentsOfFile: Rig.root + "/docs/report.schema.json", encoding: .utf8))
        let folder = try TemporaryFolder()
        let valid = try await Rig.command(
            ["run", "faults/quickstart-sqlite.yaml", "--json", "--out", folder.path] + Self.short)
        #expect(valid.exitCode == 0, "\(valid.errors)")
        // One that is violated, with a fault, findings and a threshold.
        let violated = try await Rig.command([
            "run", "faults/quickstart-sqlite.yaml", "--json", "--out", folder.path, "--set",
            "phases={warm-up: 0s, steady: 1s, faults: 3s, settle: 1s}", "--set",
            "invariants={recovery: {within: 5s}, thresholds: {acquire.p50: < 1us}}",
        ])
        #expect(violated.exitCode == 1, "\(violated.errors)")
        let report = try JSONValue(parsing: violated.output)
        #expect(!report.findings(of: "thresholds").isEmpty && report["faults"]?.arrayValue?.isEmpty == false)
        var broken = [violated.output.replacing("\"verdict\"", with: "\"vredict\"")]
        broken.append(violated.output.replacing("\"exit_code\": 1", with: "\"exit_code\": \"one\""))
        let complaints = try await SchemaValidator(schema).complaints(
            about: [valid.output, violated.output] + broken, ending: "json")
        #expect(complaints[0] == nil && complaints[1] == nil, "\(complaints)")
        #expect(complaints[2] != nil && complaints[3] != nil)
    }

    // MARK: init

    @Test("A schema that is there already is kept, another one is not replaced, and a link is not written through")
    func initBesideOtherFiles() async throws {
        let folder = try TemporaryFolder()
        let schema = folder.file("chaosrig.schema.json")
        func make(_ file: String, _ options: String...) async throws -> Rig.Result {
            try await Rig.command(["init", folder.file(file), "--target", "sqlite"] + options)
        }
        #expect(try await make("one.yaml", "--schema").exitCode == 0)
        let second = try await make("two.yaml", "--schema")
        #expect(second.exitCode == 0 && second.output.hasPrefix("wrote \(folder.file("two.yaml"))\nnext: "))
        try SmallFile.write(Array("{}".utf8), to: schema)
        let third = try await make("three.yaml", "--schema")
        #expect(third.exitCode == 2 && third.errors.contains("\(schema) is there"))
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link.yaml"), withDestinationPath: folder.file("one.yaml"))
        let link = try await make("link.yaml", "--force")
        #expect(link.exitCode == 2 && link.errors.contains("link.yaml is a symbolic link"), "\(link.errors)")
    }

    @Test("What init writes is valid and runs green", arguments: ["postgres", "sqlite"])
    func initialScenarioRunsGreen(_ target: String) async throws {
        let folder = try TemporaryFolder()
        let file = folder.file("checkout.yaml")
        let written = try await Rig.command(["init", file, "--target", target, "--schema"])
        #expect(written.exitCode == 0 && written.output.contains("next: chaosrig run \(file)\n"), "\(written.errors)")
        let schema = try JSONValue(
            parsing: String(contentsOfFile: folder.file("chaosrig.schema.json"), encoding: .utf8))
        #expect(try await SchemaValidator(schema).complaints(aboutFiles: [file]) == [nil])
        let resolved = try await Rig.command(["validate", file, "--resolved"])
        #expect(resolved.exitCode == 0 && !resolved.output.contains("yaml-language-server"), "\(resolved.errors)")
        // As it is, but for limits that a loaded machine keeps.
        let run = try await Rig.command([
            "run", file, "--out", folder.file("runs"), "--set", "invariants.recovery={within: 20s, throughput: 50%}",
            "--set", "invariants.timeouts.tolerance=20s", "--set", "phases.settle=8s",
        ])
        #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
    }

    @Test func initReplacesNothingUnlessItIsTold() async throws {
        let folder = try TemporaryFolder()
        let file = folder.file("scenario.yaml")
        try SmallFile.write(Array("mine\n".utf8), to: file)
        let refused = try await Rig.command(["init", file])
        #expect(refused.exitCode == 2 && refused.errors.contains("--force"))
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine\n")
        #expect(try await Rig.command(["init", file, "--force"]).exitCode == 0)
        #expect(try String(contentsOfFile: file, encoding: .utf8).contains("invariants:"))
        let odd = try await Rig.command(["init", folder.file("scenario")])
        #expect(odd.exitCode == 2 && odd.errors.contains("scenario.yaml?"))
    }

    @Test(
        "What init writes runs, whatever the file is called",
        arguments: [
            "my file.yaml", "日本.yaml", "a$b.yaml", "-x.yaml", "...yaml", "it's.yml", "true$.yaml",
            String(repeating: "n", count: 120) + ".yaml",
        ])
    func anyFileNameWillDo(_ name: String) async throws {
        let folder = try TemporaryFolder()
        // The command that it names is typed as it stands there.
        let drive = """
            cd '\(folder.path)' && "$1" init --target sqlite -- "$2" | sed -n 's/^next: chaosrig run/validate/p' > next
            eval "'$1' $(cat next)"
            """
        let result = try await runProgram(
            path: "/bin/sh", arguments: ["-c", drive, "sh", Rig.path, name], timeout: .seconds(60))
        #expect(result.exitCode == 0, "\(result.standardError)")
        #expect(result.standardOutput.hasSuffix(": ok\n"), "\(result.standardOutput)")
    }

    @Test func initSaysWhichFolderIsMissing() async throws {
        let folder = try TemporaryFolder()
        let result = try await Rig.command(["init", folder.file("no dir/x.yaml")])
        #expect(result.exitCode == 2)
        #expect(result.errors.contains("there is no folder \(folder.file("no dir")); make it first: mkdir -p '"))
    }

    // MARK: replay

    @Test func replayRunsTheSameScenarioAndSeedAndSaysWhatDiffers() async throws {
        let folder = try TemporaryFolder()
        let first = try await Rig.command(
            ["run", "faults/quickstart-sqlite.yaml", "--seed", "4711", "--json", "--out", folder.path] + Self.short)
        #expect(first.exitCode == 0, "\(first.errors)")
        let latest = folder.file("quickstart-sqlite/latest")
        let stored = try FileManager.default.destinationOfSymbolicLink(atPath: latest)

        let again = try await Rig.command([
            "replay", latest, "--json", "--set", "workload.rate=100/s", "--out", folder.path,
        ])
        #expect(again.exitCode == 0 && again.errors.isEmpty, "\(again.errors)")
        let report = try JSONValue(parsing: again.output)
        #expect(report["seed"]?.intValue == 4711 && report["scenario"] == "quickstart-sqlite")
        // Itself: what --set changed is in its scenario.yaml, and the old folder may be gone.
        let newest = try FileManager.default.destinationOfSymbolicLink(atPath: latest)
        #expect(newest != stored)
        #expect(report["replay"]?.stringValue?.hasSuffix("/quickstart-sqlite/\(newest)") == true)
        func resolved(_ run: String) throws -> String {
            try String(contentsOfFile: folder.file("quickstart-sqlite/\(run)/scenario.yaml"), encoding: .utf8)
        }
        #expect(try resolved(stored) == resolved("latest"))

        // Of an older version, and killed before it could report: the history's head knows the seed.
        let old = folder.file("quickstart-sqlite/\(stored)")
        try FileManager.default.removeItem(atPath: old + "/report.json")
        let history = try String(contentsOfFile: old + "/history.jsonl", encoding: .utf8)
        let head = history.split(separator: "\n").prefix(40).joined(separator: "\n")
        let versioned = head.replacing(#/"chaosrig":"[^"]*"/#, with: "\"chaosrig\":\"0.0.1\"")
        try SmallFile.write(Array(versioned.utf8), to: old + "/history.jsonl")
        let killed = try await Rig.command(["replay", old, "--quiet", "--out", folder.path])
        #expect(killed.exitCode == 0 && killed.errors.contains(", then 0.0.1"), "\(killed.errors)")
    }

    @Test func replayRefusesWhatIsNoRun() async throws {
        let folder = try TemporaryFolder()
        let empty = try await Rig.command(["replay", folder.path])
        #expect(empty.exitCode == 2 && empty.errors.contains("is not the folder of a run"), "\(empty.errors)")
        #expect(try await Rig.command(["replay", folder.file("nowhere")]).exitCode == 2)
        let scenario = "target: {postgres: {url: 'postgres://me:***@127.0.0.1:1/x'}}\nworkload: {mix: {append: 1}}\n"
        try SmallFile.write(Array(scenario.utf8), to: folder.file("scenario.yaml"))
        try SmallFile.write(Array("{\"seed\": 1}".utf8), to: folder.file("report.json"))
        let masked = try await Rig.command(["replay", folder.path])
        #expect(masked.exitCode == 2 && masked.errors.contains("--set 'target.postgres.url="), "\(masked.errors)")
    }
}
