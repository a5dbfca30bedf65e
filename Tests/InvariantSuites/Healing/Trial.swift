import Foundation
import Glibc
import HostSystem
import RigModel
import RigTestSupport
import Threading

/// One run that is ended at some moment, in a temporary folder of its own, by which everything of it is known.
struct Trial {
    enum Ending: CaseIterable {
        /// SIGKILL of the rig; its watchdog heals.
        case killed
        /// SIGINT: the rig heals itself.
        case interrupted
        /// SIGKILL of both; `chaosrig heal` heals.
        case killedWithItsWatchdog
    }

    /// What was seen of a trial. The run had begun when it had a temporary folder.
    struct Outcome {
        var hadBegun = false
        var left: [String] = []
        var complaint: String?
    }

    /// For the watchdog, `heal`, and a rig that was interrupted, on a machine that is busy.
    private static let healLimit = Duration.seconds(180)

    let scenario: String
    let ending: Ending
    let after: Duration
    let seed: UInt64

    func run() async throws -> Outcome {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        let temporary = folder.file("t")
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        // A server that runs as another user must be able to pass.
        for path in [folder.path, temporary] { chmod(path, 0o711) }
        let file = folder.file("campaign.yaml")
        try scenario.write(toFile: file, atomically: true, encoding: .utf8)
        var environment = ProcessInfo.processInfo.environment
        environment["TMPDIR"] = temporary
        let rig = try ChildProcess(
            SpawnRequest(
                path: Rig.path,
                arguments: ["run", file, "--out", folder.file("out"), "--seed", "\(seed)", "--quiet"],
                environment: environment, workingDirectory: Rig.root))
        // The moment is what is tried here.
        try await Task.sleep(for: after)
        var outcome = Outcome()
        if let end = rig.exitStatus {
            outcome.complaint = "the rig ended by itself: \(end)"
            return outcome
        }
        outcome.hadBegun = !Self.folders(in: temporary).isEmpty
        switch ending {
        case .interrupted: rig.signal(SIGINT)
        case .killed: rig.signal(SIGKILL)
        case .killedWithItsWatchdog:
            // The watchdog first: it would notice the end of its rig at once.
            for watchdog in Self.processes(of: folder.path) where watchdog.words.contains(Watchdog.command) {
                kill(watchdog.pid, SIGKILL)
            }
            rig.signal(SIGKILL)
        }
        if await rig.wait(within: Self.healLimit) == nil {
            outcome.complaint = "the rig did not end"
            rig.signal(SIGKILL)
            return outcome
        }
        if ending == .killedWithItsWatchdog {
            let heal = try await runProgram(
                path: Rig.path, arguments: ["heal"], environment: environment, timeout: Self.healLimit)
            if heal.exitCode != 0 { outcome.complaint = "heal: \(heal.standardOutput)\(heal.standardError)" }
        }
        let path = folder.path
        _ = await onOwnThread("wait for healing") {
            Waiting.untilTrue(before: .now.advanced(by: Self.healLimit), every: .milliseconds(20)) {
                Self.traces(of: path, temporary).isEmpty
            }
        }
        outcome.left = Self.traces(of: path, temporary)
        return outcome
    }

    private static func traces(of folder: String, _ temporary: String) -> [String] {
        folders(in: temporary).map { "folder \($0)" }
            + processes(of: folder).map { "process \($0.pid): \($0.words)" } + mounts(below: folder)
    }

    private static func folders(in temporary: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: temporary)) ?? []).map { "\(temporary)/\($0)" }
    }

    private static func mounts(below folder: String) -> [String] {
        let text = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { $0.contains(folder) }.map { "mount \($0)" }
    }

    /// Processes that name the folder, or were given it as their temporary folder.
    private static func processes(of folder: String) -> [(pid: Int32, words: String)] {
        ProcessTable.pids().compactMap { pid in
            guard let status = ProcessTable.status(of: pid), !status.isDead else { return nil }
            let words = (ProcessTable.commandLine(of: pid) ?? []).joined(separator: " ")
            let environment = SmallFile.bytes("/proc/\(pid)/environ").map { String(decoding: $0, as: UTF8.self) } ?? ""
            return words.contains(folder) || environment.contains("TMPDIR=\(folder)") ? (pid, words) : nil
        }
    }
}
