import Foundation
import Glibc
import HostSystem
import RigModel
import RigTestSupport
import Testing
import Threading

/// Soaks of a few short windows, on the real program.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct SoakSuite {
    private static let scenario = """
        name: brief
        target: {postgres: managed}
        pool: {max-open: 4, min-idle: 4, acquire-timeout: 5s}
        workload: {clients: 4, rate: 100/s, mix: {append: 50, read: 20, transfer: 30}}
        phases: {warm-up: 300ms, steady: 1s, faults: 2s, settle: 2s}
        faults:
          - random:
              - kill-connections: {}
              - reset: {}
              - restart: {mode: immediate, down-for: 300ms}
            at: 200ms
            every: 1200ms
        invariants:
          zero-leaked-connections: {}
          retry-correctness: {}
          money-conserved: {}
          honest-counters: {}
        """

    private let folder: TemporaryFolder
    private var file: String { folder.file("brief.yaml") }
    private var out: String { folder.file("out") }

    init() throws {
        folder = try TemporaryFolder()
        chmod(folder.path, 0o711)
        try Self.scenario.write(toFile: folder.file("brief.yaml"), atomically: true, encoding: .utf8)
    }

    private func soak(_ options: [String]) async throws -> Rig.Result {
        try await Rig.command(["soak", file, "--out", out] + options, timeout: .seconds(400))
    }

    private var log: JSONValue {
        get throws {
            let path = URL(fileURLWithPath: out + "/brief/latest/soak.json").resolvingSymlinksInPath().path
            return try JSONValue(parsing: String(contentsOfFile: path, encoding: .utf8))
        }
    }

    @Test func onePoolLivesThroughAllWindowsAndEachIsJudged() async throws {
        let result = try await soak(["--for", "24s", "--seed", "3"])
        let log = try log
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)\(log.prettyText)")
        let windows = try #require(log["windows"]?.arrayValue)
        #expect(windows.count >= 2 && log["finished"] == true)
        #expect(Set(windows.compactMap { $0["segment"]?.intValue }) == [1])
        // Each window draws for itself.
        #expect(Set(windows.compactMap { $0["seed"]?.stringValue }).count == windows.count)
        for window in windows {
            #expect(window["verdict"] == "valid", "\(window.prettyText)")
            #expect((window["numbers"]?["ok"]?.intValue ?? 0) > 100)
            #expect(window["faults"]?.arrayValue?.count == 2)
            let (kept, written) = (window["kept_bytes"]?.intValue ?? 0, window["history_bytes"]?.intValue ?? 0)
            #expect(kept > 0 && kept < written)
        }
        let latest = URL(fileURLWithPath: out + "/brief/latest").resolvingSymlinksInPath().path
        let first = try FileManager.default.contentsOfDirectory(atPath: latest + "/windows/0001")
        #expect(first.sorted() == ["excerpt.jsonl", "report.json"])
        // The pool is handed on, and the last window closes it.
        for number in 1...windows.count {
            let excerpt = SmallFile.text(latest + "/windows/000\(number)/excerpt.jsonl") ?? ""
            let end = number == windows.count ? "closed" : "kept"
            #expect(excerpt.contains(#""process":"pool","f":"\#(end)""#), "window \(number) of \(windows.count)")
        }
        // What is left of a history is no history: nobody may take it for a whole one.
        let check = try await Rig.command(["check", latest + "/windows/0001"])
        #expect(check.exitCode == 2)
        #expect(try String(contentsOfFile: latest + "/report.md", encoding: .utf8).contains("| kill-connections |"))
    }

    @Test func findingKeepsItsHistoryAndTheNextWindowHasANewPool() async throws {
        // A client that keeps its connections, in every window.
        let result = try await soak([
            "--for", "60s", "--seed", "3", "--set", "workload.mix={append: 90, leak: 1}",
        ])
        #expect(result.exitCode == 1, "\(result.output)\(result.errors)")
        let windows = try #require(try log["windows"]?.arrayValue)
        #expect(windows.count >= 2)
        #expect(Set(windows.compactMap { $0["segment"]?.intValue }).count == windows.count)
        let window = URL(fileURLWithPath: out + "/brief/latest/windows/0001").resolvingSymlinksInPath()
        #expect(FileManager.default.fileExists(atPath: window.path + "/history.jsonl"))
        let again = try await Rig.command([
            "check", window.path, "--scenario",
            window.deletingLastPathComponent().deletingLastPathComponent().path + "/scenario.yaml", "--json",
        ])
        #expect(again.exitCode == 1, "\(again.output)\(again.errors)")
    }

    @Test func killedSoakLeavesNothingAndGoesOn() async throws {
        let rig = try ChildProcess(
            SpawnRequest(
                path: Rig.path, arguments: ["soak", file, "--out", out, "--for", "1h", "--seed", "3", "--quiet"],
                workingDirectory: Rig.root))
        let hasOne = await onOwnThread("wait for a window") {
            Waiting.untilTrue(before: .now.advanced(by: .seconds(200)), every: .milliseconds(50)) {
                (try? log["windows"]?.arrayValue?.isEmpty) == false
            }
        }
        #expect(hasOne)
        rig.signal(SIGKILL)
        _ = await rig.wait(within: .seconds(60))
        let before = try log
        #expect(before["finished"] == false)
        let done = before["windows"]?.arrayValue?.count ?? 0

        // So much time is over, and a little more: one window at least.
        let elapsed = Int(before["elapsed_s"]?.doubleValue ?? 0)
        let result = try await soak(["--for", "\(elapsed + 6)s", "--seed", "9", "--resume"])
        let after = try log
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
        let windows = try #require(after["windows"]?.arrayValue)
        #expect(windows.count > done)
        #expect(windows.compactMap { $0["number"]?.intValue } == (1...windows.count).map { Int64($0) })
        #expect(windows.last?["segment"] == 2)
        // The seed is the first one's: the soak goes on as it would have.
        #expect(after["seed"] == "3" && after["finished"] == true)
        #expect(after["notes"]?.arrayValue?.count == 1, "\(after.prettyText)")
        let traces = try await Rig.command(["heal"])
        #expect(traces.exitCode == 0)
    }

    @Test func findingOutlivesTheInterruptAndNobodyElseRunsTheSoakMeanwhile() async throws {
        let leaks = ["--set", "workload.mix={append: 90, leak: 3}"]
        let rig = try ChildProcess(
            SpawnRequest(
                path: Rig.path,
                arguments: ["soak", file, "--out", out, "--for", "1h", "--seed", "3", "--quiet"] + leaks,
                workingDirectory: Rig.root))
        defer { rig.signal(SIGKILL) }
        let latest = URL(fileURLWithPath: out + "/brief/latest")
        let hasLeaked = await onOwnThread("wait for a leak") {
            Waiting.untilTrue(before: .now.advanced(by: .seconds(200)), every: .milliseconds(50)) {
                let history = latest.resolvingSymlinksInPath().path + "/windows/0001/history.jsonl"
                let lines = (SmallFile.text(history) ?? "").split(separator: "\n")
                return lines.contains { $0.contains(#""f":"leak""#) && $0.contains(#""type":"ok""#) }
            }
        }
        #expect(hasLeaked)
        let folder = latest.resolvingSymlinksInPath().path
        let second = try await soak(["--from", folder] + leaks)
        #expect(second.exitCode == 2 && second.errors.contains("process \(rig.pid) runs now"), "\(second.errors)")
        let only = try await soak(["--resume-only", "--quiet"] + leaks)
        #expect(only.exitCode == 0 && only.errors.contains("another process runs it now"), "\(only.errors)")
        #expect(only.errors.contains("nothing to do"))

        rig.signal(SIGINT)
        let end = await rig.wait(within: .seconds(120))
        #expect(end == .exited(130))
        let log = try log
        #expect(log["verdict"] == "invalid" && log["finished"] == false, "\(log.prettyText)")
        #expect(log["windows"]?.arrayValue?.map { $0["verdict"] } == ["invalid"])
        #expect(SmallFile.exists(folder + "/windows/0001/history.jsonl"))
        let replay = try await Rig.command(["replay", folder])
        #expect(replay.exitCode == 2 && replay.errors.contains("/scenario.yaml --seed "), "\(replay.errors)")
    }

    @Test func soakThatCannotGoOnGivesUpAloud() async throws {
        let database = folder.file("database")
        try SmallFile.makeFolder(database)
        // Each window with a leak is the last one of its pool; the next one finds no database.
        let scenario = """
            name: brief
            target: {sqlite: \(database)/brief.db}
            pool: {max-open: 4, acquire-timeout: 1s, statement-timeout: 1s, close-timeout: 1s}
            workload: {clients: 4, rate: 100/s, mix: {append: 90, leak: 3}}
            phases: {warm-up: 300ms, steady: 1s, faults: 300ms, settle: 300ms}
            invariants: {zero-leaked-connections: {}}
            """
        try scenario.write(toFile: file, atomically: true, encoding: .utf8)
        let rig = try ChildProcess(
            SpawnRequest(
                path: Rig.path, arguments: ["soak", file, "--out", out, "--for", "1h", "--seed", "3", "--quiet"],
                workingDirectory: Rig.root))
        defer { rig.signal(SIGKILL) }
        let hasOne = await onOwnThread("wait for a window") {
            Waiting.untilTrue(before: .now.advanced(by: .seconds(200)), every: .milliseconds(50)) {
                (try? log["windows"]?.arrayValue?.isEmpty) == false
            }
        }
        #expect(hasOne)
        try FileManager.default.removeItem(atPath: database)
        try SmallFile.write([], to: database)
        let end = await rig.wait(within: .seconds(200))
        let after = try log
        #expect(end == .exited(1), "\(after.prettyText)")
        #expect(after["finished"] == false && (after["lost_windows"]?.intValue ?? 0) >= 3)
        #expect(after["gave_up"]?["exit_code"] == 5)
        let reasons = after["reasons"]?.arrayValue?.compactMap(\.stringValue) ?? []
        #expect(reasons.contains { $0.contains("of 1 h: 3 segments in a row came to nothing") }, "\(reasons)")
    }

    @Test func historiesStayWithinTheLimit() async throws {
        let result = try await soak(["--for", "11s", "--seed", "3", "--keep", "0"])
        #expect(result.exitCode == 0, "\(result.output)\(result.errors)")
        #expect(try log["kept_bytes"] == 0)
    }

    @Test("Where no soak begins --json prints what stands in the place of its report")
    func jsonTellsWhatCouldNotBeSoaked() async throws {
        for (options, name, words) in [
            (["/nowhere/gone.yaml"], "gone", "cannot be read"),
            (["faults/latency.yaml", "--metrics", "nonsense"], "latency", "--metrics"),
        ] {
            let result = try await Rig.command(["soak"] + options + ["--for", "1s", "--json"])
            let value = try JSONValue(parsing: result.output)
            #expect(result.exitCode == 2 && value["exit_code"]?.intValue == 2, "\(result.errors)")
            #expect(value["scenario"]?.stringValue == name)
            #expect(value["error"]?.stringValue?.contains(words) == true)
        }
    }

    @Test func whatCannotBeSoakedIsRefused() async throws {
        for (options, words) in [
            (["--for", "8"], "--for takes a time with its unit"), (["--from", "/nowhere"], "holds no soak"),
            (["--set", "workload.behaviour.reopen={at: 1s, in-flight: 2}"], "a soak keeps its pool"),
        ] {
            let result = try await soak(options)
            #expect(result.exitCode == 2 && result.errors.contains(words), "\(options): \(result.errors)")
        }
    }
}
