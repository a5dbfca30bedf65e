import Foundation
import Glibc
import HostSystem
import RigModel
import RigTestSupport
import Testing

/// Where faults of the network act: on a stage of the run's own, also for an ordinary user; and what happens without one.
@Suite(.timeLimit(.minutes(20)))
struct StageSuite {
    private static func scenario(_ fault: String) -> String {
        """
        name: stage
        target: {postgres: managed}
        pool: {max-open: 4}
        workload: {clients: 8, rate: 100/s, mix: {append: 50, read: 50}}
        phases: {warm-up: 500ms, steady: 1s, faults: 3s, settle: 3s}
        faults:
          - \(fault)
        invariants: {zero-leaked-connections: {}, retry-correctness: {}, timeouts: {tolerance: 20s}}

        """
    }

    /// Runs a scenario with one fault.
    ///
    /// - Returns: the exit status, both outputs, and the report.
    private func run(
        _ fault: String, environment: [String: String] = [:], rig: String = Rig.path, user: ProcessUser? = nil
    ) async throws -> (exitCode: Int32?, output: String, report: JSONValue?) {
        let folder = try TemporaryFolder()
        let file = folder.path + "/stage.yaml"
        try Self.scenario(fault).write(toFile: file, atomically: true, encoding: .utf8)
        let out = folder.path + "/out"
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        if let user {
            for path in [folder.path, out] { #expect(chown(path, user.uid, user.gid) == 0) }
        }
        let result = try await runProgram(
            path: rig, arguments: ["run", file, "--out", out, "--seed", "7"],
            environment: currentEnvironment().merging(environment) { $1 }, workingDirectory: "/", user: user,
            timeout: .seconds(180))
        let text = try? String(contentsOfFile: out + "/stage/latest/report.json", encoding: .utf8)
        return (
            result.exitCode, result.standardOutput + result.standardError, try text.map { try JSONValue(parsing: $0) }
        )
    }

    @Test("What is tried on a stage does not reach the machine's own network")
    func stageIsApart() async throws {
        let device = "cr\(getpid())"
        let result = try await Rig.command(["__stage", "ip", "link", "add", "dev", device, "type", "veth"])
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(!SmallFile.exists("/sys/class/net/\(device)"))
        #expect(try await Rig.command(["__stage", "no-such-program"]).exitCode == 127)
    }

    @Test("Without a stage the relay makes what it can, and says so")
    func relayTakesOver() async throws {
        let result = try await run(
            "{latency: {latency: 20ms}, at: 0s, for: 2s}", environment: ["CHAOSRIG_STAGE": "none"])
        #expect(result.exitCode == 0, "\(result.output)")
        #expect(result.report?["faults"]?.arrayValue?.first?["evidence"]?["via"] == "relay")
    }

    @Test("Without a stage a fault that needs one is refused before anything starts, with the reason")
    func refusedWithoutAStage() async throws {
        let result = try await run("{link-down: {}, at: 0s, for: 1s}", environment: ["CHAOSRIG_STAGE": "none"])
        #expect(result.exitCode == 3, "\(result.output)")
        #expect(result.output.contains("link-down") && result.output.contains("private stage"), "\(result.output)")
    }

    @Test("Packet rules on the machine's loopback touch one port, and none is left; only root may")
    func rulesOnLoopback() async throws {
        let result = try await run(
            "{blackhole: {via: packets}, at: 0s, for: 1s}", environment: ["CHAOSRIG_STAGE": "none"])
        guard geteuid() == 0 else {
            #expect(result.exitCode == 3, "\(result.output)")
            return
        }
        #expect(result.exitCode == 0, "\(result.output)")
        let evidence = result.report?["faults"]?.arrayValue?.first?["evidence"]
        let place = try #require(evidence?["where"]?.stringValue, "\(result.output)")
        let chain = try #require(place.split(separator: " ").last?.split(separator: "…").first)
        let rules = try await runProgram(path: try #require(findProgram("iptables")), arguments: ["-w", "10", "-S"])
        #expect(chain.hasPrefix("chaosrig-") && !rules.standardOutput.contains(chain), "\(rules.standardOutput)")
    }

    @Test("An ordinary user has a stage, too, with packet queues and devices of its own")
    func ordinaryUser() async throws {
        var user: ProcessUser?
        var rig = Rig.path
        let folder = try TemporaryFolder()
        if geteuid() == 0 {
            // Where that user may read it.
            let nobody = try #require(ProcessUser.named("nobody"))
            user = nobody
            rig = folder.path + "/chaosrig"
            try FileManager.default.copyItem(atPath: Rig.path, toPath: rig)
            #expect(chmod(folder.path, 0o755) == 0 && chmod(rig, 0o755) == 0)
        }
        for fault in [
            "{packet-loss: {share: 10%}, at: 0s, for: 2s}", "{link-down: {}, at: 0s, for: 2s}",
            "{half-open: {via: packets}, at: 0s, for: 2s}",
        ] {
            let result = try await run(fault, rig: rig, user: user)
            #expect(result.exitCode == 0, "\(result.output)")
            #expect(result.report?["faults"]?.arrayValue?.first?["landed"] == true, "\(result.output)")
        }
    }
}
