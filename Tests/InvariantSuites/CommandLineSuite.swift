import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Testing
import Threading

/// The command line as a user meets it: exit codes, messages, interrupts, and nothing left behind.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct CommandLineSuite {
    private struct Refusal: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let words: String
        var testDescription: String { arguments.joined(separator: " ") }
    }

    private static let refusals = [
        Refusal(arguments: [], words: "Usage"), Refusal(arguments: ["rnu"], words: "Did you mean \"run\"?"),
        Refusal(arguments: ["run"], words: "name at least one scenario file"),
        Refusal(arguments: ["run", "faults/db-restart.yaml", "--sede", "1"], words: "Did you mean --seed?"),
        Refusal(arguments: ["run", "faults/db-restart.yaml", "--seed", "x"], words: "--seed takes a whole number"),
        Refusal(
            arguments: ["run", "faults/latency.yaml", "--junit", "/nonexistent/all.xml"],
            words: "/nonexistent/all.xml cannot be written: No such file or directory"),
        Refusal(
            arguments: ["run", "faults/latency.yaml", "--junit", "/tmp"],
            words: "/tmp cannot be written: Is a directory"),
        Refusal(arguments: ["run", "nowhere.yaml"], words: "nowhere.yaml: cannot be read"),
        Refusal(
            arguments: ["run", "faults/db-restart.yaml", "--set", "pool.max-opn=1"], words: "did you mean \"max-open\"?"
        ),
        Refusal(
            arguments: ["run", "faults/db-restart.yaml", "--set", "workload.clients=0"], words: "clients: at least 1"),
        Refusal(
            arguments: ["run", "faults/latency.yaml", "--set", "target.postgres.url=postgres://10.0.0.1/x"],
            words: "--allow-remote 10.0.0.1"),
        Refusal(
            arguments: [
                "validate", "faults/sqlite-io.yaml", "--set", "faults.0={slow-io: {write: 0s}, at: 1s, for: 1s}",
            ],
            words: "write: more than 0s was expected"),
        Refusal(
            arguments: [
                "validate", "faults/pooler-maintenance.yaml", "--set", "target.pgbouncer=session",
            ], words: ":47: client-idle-timeout: with pgbouncer: session no client rests"),
        Refusal(arguments: ["list", "fault"], words: "Did you mean \"faults\"?"),
        Refusal(arguments: ["validate"], words: "name at least one"),
        Refusal(arguments: ["report"], words: "name one run folder"),
        Refusal(arguments: ["report", "/nowhere"], words: "/nowhere/report.json: cannot be read"),
        Refusal(arguments: ["report", "/nowhere"], words: "there is no /nowhere"),
        Refusal(arguments: ["replay", "/nowhere"], words: "there is no /nowhere"),
        Refusal(
            arguments: ["compare", "runs/db-restart/typo", "latest"], words: "there is no folder runs/db-restart/typo;"),
        Refusal(arguments: ["run", "faults/latency.yaml", "--", "./my-service"], words: "starts no program of yours"),
        Refusal(arguments: ["run", "--", "nowhere.yaml"], words: "nowhere.yaml: cannot be read"),
        Refusal(arguments: ["version", "foo"], words: "version takes no arguments"),
        Refusal(arguments: ["help", "run", "x"], words: "name one command"),
        Refusal(arguments: ["check", ""], words: "the name of a run folder was expected, and it is empty"),
        Refusal(arguments: ["export", ""], words: "the name of a run folder was expected, and it is empty"),
        Refusal(arguments: ["run", ""], words: "the name of a scenario file was expected, and it is empty"),
        Refusal(
            arguments: ["run", "faults/latency.yaml", "--out", ""],
            words: "--out: the name of a folder was expected, and it is empty; is a variable of the shell not set?"),
        Refusal(arguments: ["validate", "--res"], words: "Did you mean --resolved?"),
        Refusal(arguments: ["helpp"], words: "Did you mean \"help\"?"),
        Refusal(arguments: ["-V"], words: "Did you mean \"--version\"?"),
        Refusal(
            arguments: ["bench", "table", "--loops", "2"],
            words: "--loops changes nothing in bench table; it works in bench peer"),
        Refusal(
            arguments: ["bench", "pool-vs-none", "--no-instrumentation"],
            words: "--no-instrumentation changes nothing in bench pool-vs-none; it works in bench peer"),
        Refusal(
            arguments: ["bench", "table", "--depth", "5"],
            words: "--depth changes nothing in bench table; it works in bench peer and bench limit"),
    ]

    @Test("Arguments that make no sense exit with 2 and say what was expected", arguments: refusals)
    private func badArgumentsAreRefused(_ row: Refusal) async throws {
        let result = try await Rig.command(row.arguments)
        #expect(result.exitCode == 2)
        #expect(result.errors.contains(row.words), "\(result.errors)")
        #expect(result.output.isEmpty)
    }

    @Test(
        "Where the folder above is named each command names the run that may be meant",
        arguments: ["report", "replay", "check", "export"])
    func latestIsOffered(_ command: String) async throws {
        let folder = try TemporaryFolder()
        try SmallFile.makeFolder(folder.file("latest"))
        let result = try await Rig.command([command, folder.path])
        #expect(result.exitCode == 2)
        #expect(result.errors.contains("did you mean \(folder.file("latest"))?"), "\(result.errors)")
    }

    @Test func scenarioOfARunThatCannotBeReadIsToldWithTheReason() async throws {
        let folder = try TemporaryFolder()
        try SmallFile.makeFolder(folder.file("scenario.yaml"))
        let result = try await Rig.command(["check", folder.path])
        #expect(result.exitCode == 2)
        #expect(result.errors.contains("scenario.yaml cannot be read: Is a directory"), "\(result.errors)")
    }

    @Test func helpOfHelpIsTheOverview() async throws {
        let result = try await Rig.command(["help", "help"])
        #expect(result.exitCode == 0 && result.output.contains("Commands:"))
    }

    /// What a run of a second needs that has no faults; a folder that is removed with the object.
    private func scenario(_ name: String, _ rest: String, in folder: TemporaryFolder) throws -> String {
        let text = """
            target: {sqlite: temporary}
            phases: {warm-up: 0s, steady: 1s, faults: 0s, settle: 0s}
            \(rest)

            """
        try SmallFile.write(Array(text.utf8), to: folder.file("\(name).yaml"))
        return folder.file("\(name).yaml")
    }

    @Test func worstOfSeveralRunsIsTheExitCode() async throws {
        let folder = try TemporaryFolder()
        let unseen = try scenario(
            "unseen",
            "workload: {rate: 50/s, mix: {append: 1000000, read: 0.001}}\ninvariants: {zero-leaked-connections: {}}",
            in: folder)
        let violated = try scenario(
            "violated", "workload: {rate: 50/s, mix: {append: 1}}\ninvariants: {thresholds: {acquire.p50: < 1us}}",
            in: folder)
        let result = try await Rig.command(
            ["run", unseen, violated, unseen, "--keep-going", "--json", "--out", folder.file("runs")])
        let codes = try JSONValue(parsing: result.output).arrayValue?.map { $0["exit_code"]?.intValue }
        #expect(codes == [4, 1, 4], "\(result.errors)")
        #expect(result.exitCode == 1)
    }

    @Test("A scenario that cannot run has a value in the place of its report")
    func jsonTellsWhatCouldNotRun() async throws {
        let folder = try TemporaryFolder()
        let lacking = try scenario(
            "lacking", "workload: {rate: 50/s, mix: {append: 1}}\nfaults: [{kill-connections: {}, at: 0s}]", in: folder)
        let one = try await Rig.command([
            "run", lacking, "--set", "phases.faults=1s", "--json", "--out", folder.file("runs"),
        ])
        let value = try JSONValue(parsing: one.output)
        #expect(one.exitCode == 3 && value["scenario"] == "lacking" && value["exit_code"]?.intValue == 3)
        #expect(value["error"]?.stringValue?.contains("needs a PostgreSQL server") == true)
        let several = try await Rig.command(
            [
                "run", lacking, lacking, "--set", "phases.faults=1s", "--keep-going", "--json", "--out",
                folder.file("runs"),
            ])
        #expect(try JSONValue(parsing: several.output).arrayValue == [value, value])
        let unread = try await Rig.command(["run", folder.file("nowhere.yaml"), "--json"])
        let refusal = try JSONValue(parsing: unread.output)
        #expect(unread.exitCode == 2 && refusal["scenario"] == "nowhere" && refusal["exit_code"]?.intValue == 2)
    }

    @Test("Who asked for silence is told that the interrupt was heard", arguments: ["--quiet", "--json"])
    func silentRunSaysThatItStops(_ option: String) async throws {
        let folder = try TemporaryFolder()
        let file = try scenario("long", "workload: {rate: 50/s, mix: {append: 1}}", in: folder)
        // The shell stops its child as Ctrl-C does, once the run has begun to write.
        let drive = """
            "$1" run "$2" \(option) --set phases.steady=10m --out "$3" & run=$!
            for i in $(seq 6000); do [ -e "$3"/long/*/history.jsonl ] && break; sleep 0.01; done
            kill -TERM $run; wait $run
            """
        let result = try await runProgram(
            path: "/bin/bash", arguments: ["-c", drive, "bash", Rig.path, file, folder.file("runs")],
            timeout: .seconds(180))
        #expect(result.exitCode == 143, "\(result.standardError)")
        #expect(option == "--json" || result.standardOutput.hasPrefix("long: unknown, interrupted by SIGTERM ("))
        #expect(result.standardError.contains("stopping: healing faults"), "\(result.standardError)")
    }

    private struct Lack: Sendable, CustomTestStringConvertible {
        let scenario: String
        let change: String
        let words: String
        var testDescription: String { "\(scenario), \(change)" }
    }

    private static let lacks = [
        Lack(
            scenario: "db-restart", change: "target.postgres.url=postgres://127.0.0.1:1/x",
            words: "needs the server's host"),
        Lack(
            scenario: "kill-connections", change: "target.postgres.url=postgres://127.0.0.1:1/x",
            words: "no answer from the database"),
        Lack(scenario: "kill-connections", change: "target={sqlite: temporary}", words: "needs a PostgreSQL server"),
    ]

    @Test("What the target cannot do exits with 3", arguments: lacks)
    private func missingCapabilitiesAreNamed(_ row: Lack) async throws {
        let result = try await Rig.run(row.scenario, set: [row.change])
        #expect(result.exitCode == 3)
        #expect(result.errors.contains(row.words), "\(result.errors)")
    }

    @Test func listsAreArraysOfNamesAndSummaries() async throws {
        for topic in ["faults", "invariants", "workloads", "settings", "toxics"] {
            let result = try await Rig.command(["list", topic, "--json"])
            #expect(result.exitCode == 0)
            let items = try #require(try JSONValue(parsing: result.output).arrayValue)
            #expect(items.count >= 4)
            #expect(items.allSatisfy { $0["name"]?.stringValue != nil && $0["summary"]?.stringValue != nil })
        }
    }

    @Test("docs/invariants.md says what the program says of its invariants")
    func theReferenceOfInvariantsIsInStep() async throws {
        let printed = try await Rig.command(["list", "invariants", "--markdown"])
        let document = try String(contentsOfFile: Rig.root + "/docs/invariants.md", encoding: .utf8)
        let marker = "<!-- from here on: chaosrig list invariants --markdown -->\n\n"
        let start = try #require(document.range(of: marker)).upperBound
        #expect(document[start...] == printed.output, "write what the program prints below the marker")
        let names = try JSONValue(parsing: try await Rig.command(["list", "invariants", "--json"]).output).arrayValue
        let sections = ["**Claims.** ", "**Needs to have seen.** ", "**Cannot see.** "]
        for words in sections { #expect(printed.output.components(separatedBy: words).count - 1 == names?.count) }
    }

    @Test func everyCommandHasHelpWithAnExample() async throws {
        for command in ["run", "proxy", "simulate", "validate", "list", "heal", "version"] {
            let result = try await Rig.command([command, "--help"])
            #expect(result.exitCode == 0)
            #expect(result.output.contains("Usage: chaosrig \(command)") && result.output.contains("Example:"))
        }
        #expect(try await Rig.command(["version"]).output.hasPrefix("chaosrig "))
    }

    @Test func simulationIsGreenRepeatsAndSaysWhatItDidNotSee() async throws {
        let many = try await Rig.command(["simulate", "--seeds", "1000", "--steps", "300", "--json"])
        #expect(many.exitCode == 0, "\(many.output)")
        let report = try JSONValue(parsing: many.output)
        #expect(report["verdict"]?.stringValue == "valid")
        #expect(report["missing"]?.arrayValue?.isEmpty == true)

        let one = ["simulate", "--seed", "42", "--seeds", "1", "--steps", "50"]
        let first = try await Rig.command(one)
        #expect(first.exitCode == 4 && first.output.contains("? UNKNOWN: never happened: "))
        let digest = first.output.split(separator: "\n").first { $0.hasPrefix("digest ") }
        let again = try await Rig.command(one)
        #expect(again.output.contains(try #require(digest)))

        let wrong = try await Rig.command(["simulate", "--seeds", "some"])
        #expect(wrong.exitCode == 2 && wrong.errors.contains("--seeds takes a whole number"))
    }

    @Test func shippedScenariosAreValidAndResolveToThemselves() async throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Rig.root + "/faults").sorted()
        #expect(files.count >= 5)
        for file in files {
            let result = try await Rig.command(["validate", "faults/\(file)", "--resolved"])
            // A machine that tests need not have a container engine.
            let needsEngine = file.hasPrefix("container-") && result.errors.contains("needs containers: ")
            #expect(result.exitCode == (needsEngine ? 3 : 0), "\(file): \(result.errors)")
            let head = try String(contentsOfFile: Rig.root + "/faults/\(file)", encoding: .utf8)
            #expect(head.hasPrefix("# ") && head.contains("Green proves"), "\(file) has no header")
        }
    }

    /// A run whose server is down, and what it says.
    private final class Outage: Sendable {
        let process: Process
        private let lines: AsyncStream<String>

        init(_ out: String) throws {
            process = Process()
            process.executableURL = URL(fileURLWithPath: Rig.path)
            process.currentDirectoryURL = URL(fileURLWithPath: Rig.root)
            process.arguments = [
                "run", "faults/db-restart.yaml", "--out", out, "--set",
                "phases={warm-up: 0s, steady: 1s, faults: 60s, settle: 1s}", "--set", "faults.0.at=0s", "--set",
                "faults.0.restart.down-for=50s", "--set", "workload.rate=50/s",
            ]
            let errors = Pipe()
            let (lines, feed) = AsyncStream.makeStream(of: String.self)
            self.lines = lines
            // Read to the end, so that the run can go on writing.
            errors.fileHandleForReading.readabilityHandler = { handle in
                let data = handle.availableData
                if data.isEmpty {
                    handle.readabilityHandler = nil
                    feed.finish()
                } else {
                    feed.yield(String(decoding: data, as: UTF8.self))
                }
            }
            process.standardError = errors
            process.standardOutput = FileHandle.nullDevice
            try process.run()
        }

        /// Returns when the run says that its fault is active.
        func begun() async throws {
            for await text in lines where text.contains("| restart #0") { return }
            throw RigTestError("the run ended before its outage")
        }

        func exitCode() async -> Int32 {
            let process = process
            return await withCheckedContinuation { continuation in
                Thread.detachNewThread {
                    process.waitUntilExit()
                    continuation.resume(returning: process.terminationStatus)
                }
            }
        }
    }

    private struct Interruption: Sendable {
        let signal: Int32
        let exitCode: Int32
    }

    private static let interruptions = [
        Interruption(signal: SIGINT, exitCode: 130), Interruption(signal: SIGTERM, exitCode: 143),
    ]

    @Test("An interrupt in the outage heals, reports and says so", arguments: interruptions)
    private func interruptHealsAndReports(_ row: Interruption) async throws {
        let out = FileManager.default.temporaryDirectory.appendingPathComponent("rig-suite-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: out) }
        let outage = try Outage(out)
        try await outage.begun()
        kill(outage.process.processIdentifier, row.signal)
        #expect(await outage.exitCode() == row.exitCode)
        let text = try String(contentsOfFile: out + "/db-restart/latest/report.json", encoding: .utf8)
        let report = try JSONValue(parsing: text)
        #expect(report["exit_code"] == JSONValue(row.exitCode))
        #expect(report["verdict"] != "valid")
        #expect(leftovers(of: outage.process.processIdentifier).isEmpty)
    }

    @Test func killedRunIsCleanedUpByItsWatchdog() async throws {
        let out = FileManager.default.temporaryDirectory.appendingPathComponent("rig-suite-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: out) }
        let outage = try Outage(out)
        try await outage.begun()
        let pid = outage.process.processIdentifier
        kill(pid, SIGKILL)
        _ = await outage.exitCode()
        let giveUpAt = MonotonicInstant.now.advanced(by: .seconds(60))
        while !leftovers(of: pid).isEmpty, MonotonicInstant.now < giveUpAt { await Task.yield() }
        #expect(leftovers(of: pid).isEmpty)
    }

    /// Temporary folders that say that they belong to this process.
    private func leftovers(of pid: Int32) -> [String] {
        let folder = FileManager.default.temporaryDirectory.path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { name in
            name.hasPrefix("chaosrig-") && RunOwner.read(in: "\(folder)/\(name)")?.pid == pid
        }
    }
}
