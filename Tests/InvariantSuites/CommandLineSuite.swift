import Foundation
import HostSystem
import RigModel
import Testing
import Threading

/// The command line as a user meets it: exit codes, messages, interrupts, and nothing left behind.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct CommandLineSuite {
    @Test("Arguments that make no sense exit with 2 and say what was expected", arguments: [
        ([], "Usage"), (["rnu"], "Did you mean \"run\"?"), (["run"], "name at least one scenario file"),
        (["run", "faults/db-restart.yaml", "--sede", "1"], "Did you mean --seed?"),
        (["run", "faults/db-restart.yaml", "--seed", "x"], "--seed takes a whole number"),
        (["run", "nowhere.yaml"], "nowhere.yaml: cannot be read"),
        (["run", "faults/db-restart.yaml", "--set", "pool.max-opn=1"], "did you mean \"max-open\"?"),
        (["run", "faults/db-restart.yaml", "--set", "workload.clients=0"], "clients: at least 1"),
        (["run", "faults/kill-connections.yaml", "--set", "target.postgres.url=postgres://10.0.0.1/x"], "--allow-remote 10.0.0.1"),
        (["list", "fault"], "Did you mean \"faults\"?"), (["validate"], "name at least one"),
    ] as [([String], String)])
    func badArgumentsAreRefused(_ arguments: [String], _ words: String) async throws {
        let result = try await Rig.command(arguments)
        #expect(result.exitCode == 2)
        #expect(result.errors.contains(words), "\(result.errors)")
        #expect(result.output.isEmpty)
    }

    @Test("What the target cannot do exits with 3 before anything is started", arguments: [
        ("db-restart", "target.postgres.url=postgres://127.0.0.1:1/x", "needs the server's host"),
        ("kill-connections", "target.postgres.url=postgres://127.0.0.1:1/x", "no answer from the database"),
        ("kill-connections", "target={sqlite: temporary}", "needs a PostgreSQL server"),
    ])
    func missingCapabilitiesAreNamed(_ scenario: String, _ change: String, _ words: String) async throws {
        let result = try await Rig.run(scenario, set: [change])
        #expect(result.exitCode == 3)
        #expect(result.errors.contains(words), "\(result.errors)")
    }

    @Test func listsAreArraysOfNamesAndSummaries() async throws {
        for topic in ["faults", "invariants", "workloads"] {
            let result = try await Rig.command(["list", topic, "--json"])
            #expect(result.exitCode == 0)
            let items = try #require(try JSONValue(parsing: result.output).arrayValue)
            #expect(items.count >= 4)
            #expect(items.allSatisfy { $0["name"]?.stringValue != nil && $0["summary"]?.stringValue != nil })
        }
    }

    @Test func everyCommandHasHelpWithAnExample() async throws {
        for command in ["run", "validate", "list", "heal", "version"] {
            let result = try await Rig.command([command, "--help"])
            #expect(result.exitCode == 0)
            #expect(result.output.contains("Usage: chaosrig \(command)") && result.output.contains("Example:"))
        }
        #expect(try await Rig.command(["version"]).output.hasPrefix("chaosrig "))
    }

    @Test func shippedScenariosAreValidAndResolveToThemselves() async throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Rig.root + "/faults").sorted()
        #expect(files.count >= 5)
        for file in files {
            let result = try await Rig.command(["validate", "faults/\(file)", "--resolved"])
            #expect(result.exitCode == 0, "\(file): \(result.errors)")
            let head = try String(contentsOfFile: Rig.root + "/faults/\(file)", encoding: .utf8)
            #expect(head.hasPrefix("# ") && head.contains("Green proves"), "\(file) has no header")
        }
    }

    /// Starts a run whose server is down, and returns when it is.
    private func startOutage(_ out: String) throws -> (Process, Pipe) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Rig.path)
        process.currentDirectoryURL = URL(fileURLWithPath: Rig.root)
        process.arguments = [
            "run", "faults/db-restart.yaml", "--out", out, "--set", "phases={warm-up: 0s, steady: 1s, faults: 60s, settle: 1s}",
            "--set", "faults.0.at=0s", "--set", "faults.0.restart.down-for=50s", "--set", "workload.rate=50/s",
        ]
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return (process, errors)
    }

    private func waitForOutage(_ errors: Pipe) async throws {
        for try await line in errors.fileHandleForReading.bytes.lines where line.contains("[restart #0]") { return }
        throw RigTestError("the run ended before its outage")
    }

    private func exit(of process: Process) async -> Int32 {
        await withCheckedContinuation { continuation in
            Thread { process.waitUntilExit(); continuation.resume(returning: process.terminationStatus) }.start()
        }
    }

    @Test("An interrupt in the outage heals, reports and says so", arguments: [(SIGINT, 130), (SIGTERM, 143)])
    func interruptHealsAndReports(_ signal: Int32, _ code: Int32) async throws {
        let out = FileManager.default.temporaryDirectory.appendingPathComponent("rig-suite-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: out) }
        let (process, errors) = try startOutage(out)
        try await waitForOutage(errors)
        kill(process.processIdentifier, signal)
        // The run goes on writing: somebody must read.
        let reader = Task { for try await _ in errors.fileHandleForReading.bytes.lines {} }
        #expect(await exit(of: process) == code)
        try? await reader.value
        let text = try String(contentsOfFile: out + "/db-restart/latest/report.json", encoding: .utf8)
        let report = try JSONValue(parsing: text)
        #expect(report["exit_code"] == JSONValue(code))
        #expect(report["verdict"] != "valid")
        #expect(leftovers(of: process.processIdentifier).isEmpty)
    }

    @Test func killedRunIsCleanedUpByItsWatchdog() async throws {
        let out = FileManager.default.temporaryDirectory.appendingPathComponent("rig-suite-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: out) }
        let (process, errors) = try startOutage(out)
        try await waitForOutage(errors)
        kill(process.processIdentifier, SIGKILL)
        _ = await exit(of: process)
        let giveUpAt = MonotonicInstant.now.advanced(by: .seconds(60))
        while !leftovers(of: process.processIdentifier).isEmpty, MonotonicInstant.now < giveUpAt { await Task.yield() }
        #expect(leftovers(of: process.processIdentifier).isEmpty)
    }

    /// Temporary folders that say that they belong to this process.
    private func leftovers(of pid: Int32) -> [String] {
        let folder = FileManager.default.temporaryDirectory.path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { name in
            guard name.hasPrefix("chaosrig-"),
                let owner = try? String(contentsOfFile: "\(folder)/\(name)/owner.json", encoding: .utf8)
            else { return false }
            return owner.contains("\(pid)")
        }
    }
}
