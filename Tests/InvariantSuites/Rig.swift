import Foundation
import HostSystem
import RigModel
import Testing
import Threading

/// The real program, as a user runs it. In a process of its own, so that what it does under load is not disturbed by the
/// other tests of this process.
enum Rig {
    /// The program that was built beside this test.
    static var path: String {
        let test = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = (test as NSString).deletingLastPathComponent + "/chaosrig"
        // Where the test bundle is loaded by a helper of the toolchain, the bundle's own path is an argument.
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? ""
        let besideBundle = (bundle as NSString).deletingLastPathComponent + "/chaosrig"
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : besideBundle
    }

    /// The root of the repository, where `faults/` is.
    static var root: String {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 1...3 { url.deleteLastPathComponent() }
        return url.path
    }

    struct Result {
        let exitCode: Int32?
        let output: String
        let errors: String
        /// `report.json`, when one was written.
        let report: JSONValue?
        /// Names of the files in the run folder.
        let files: [String]
    }

    /// Bounds that hold on a loaded machine and under a sanitizer, and phases that are short.
    static let patient = [
        "phases={warm-up: 1s, steady: 3s, faults: 4s, settle: 4s}", "workload.rate=100/s",
        "invariants.recovery={within: 20s, throughput: 50%}", "invariants.timeouts.tolerance=20s",
    ]

    /// Runs a command to its end.
    static func command(_ arguments: [String], timeout: Duration = .seconds(180)) async throws -> Result {
        let result = try await runProgram(path: path, arguments: arguments, workingDirectory: root, timeout: timeout)
        return Result(
            exitCode: result.exitCode, output: result.standardOutput, errors: result.standardError, report: nil,
            files: [])
    }

    /// Runs a shipped scenario with changes, in a folder that is removed afterwards.
    static func run(_ scenario: String, set changes: [String], seed: Int = 7) async throws -> Result {
        try await run(file: "faults/\(scenario).yaml", name: scenario, set: changes, seed: seed)
    }

    /// Runs a scenario file, in a folder that is removed afterwards.
    ///
    /// - Parameter name: the scenario's.
    static func run(file: String, name: String, set changes: [String] = [], seed: Int = 7) async throws -> Result {
        let out = FileManager.default.temporaryDirectory.appendingPathComponent("rig-suite-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: out) }
        var arguments = ["run", file, "--out", out.path, "--seed", "\(seed)"]
        for change in changes { arguments += ["--set", change] }
        let result = try await command(arguments)
        let folder = out.appendingPathComponent("\(name)/latest").resolvingSymlinksInPath().path
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let text = try? String(contentsOfFile: folder + "/report.json", encoding: .utf8)
        let report = try text.map { try JSONValue(parsing: $0) }
        if let report { try await expectCheckToAgree(with: report, in: folder) }
        return Result(
            exitCode: result.exitCode, output: result.output, errors: result.errors, report: report,
            files: files.sorted())
    }
}

extension Rig {
    /// Whoever judges the history later comes to what the run came to: verdict, findings and all that was measured.
    private static func expectCheckToAgree(with report: JSONValue, in folder: String) async throws {
        let check = try await command(["check", folder, "--json"])
        let again = try JSONValue(parsing: check.output)
        #expect(again["verdict"] == report["verdict"], "\(check.errors)")
        #expect(again["invariants"] == report["invariants"])
        let codes: [String: Int32] = ["valid": 0, "invalid": 1, "unknown": 4]
        #expect(check.exitCode == codes[report["verdict"]?.stringValue ?? ""])
    }
}

extension JSONValue {
    /// The verdict of one invariant of a report.
    func verdict(of invariant: String) -> String? {
        self["invariants"]?.arrayValue?.first { $0["name"]?.stringValue == invariant }?["verdict"]?.stringValue
    }

    func findings(of invariant: String) -> [JSONValue] {
        self["invariants"]?.arrayValue?.first { $0["name"]?.stringValue == invariant }?["findings"]?.arrayValue ?? []
    }
}
