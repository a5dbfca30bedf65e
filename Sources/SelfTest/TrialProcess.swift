import Foundation
import HostSystem
import RigModel
import Threading

/// Runs one trial in a process of its own: whatever the defect breaks there, the self-test goes on.
struct TrialProcess: Sendable {
    /// Longer than any trial with all its waits; then something hangs that the run itself should have ended.
    private static let limit = Duration.seconds(180)
    private static let graceAfterInterrupt = Duration.seconds(60)

    /// The rig's own program.
    let program: String
    /// Where the shipped scenarios are.
    let scenarios: String
    /// A folder for this run alone.
    let folder: String
    let seed: UInt64
    let run: TrialRun

    /// - Parameter isInterrupted: the run is to heal and end; asked a few times a second.
    func result(isInterrupted: @escaping @Sendable () -> Bool) async -> TrialResult {
        let startedAt = MonotonicInstant.now
        let end = await onOwnThread("trial") { execute(isInterrupted) }
        let took = startedAt.duration(to: .now)
        guard case .ended(let exit) = end, TrialVerdict.isJudged(exit), let report = report else {
            let words = (try? String(contentsOfFile: errorsPath, encoding: .utf8)) ?? ""
            return TrialResult(
                name: run.name, invariant: run.defect?.invariant, scenario: run.trial.scenario, end: .failed,
                took: took, words: "no run to judge (\(end.words)): \(words.suffix(400))")
        }
        return TrialVerdict.read(report, of: run, took: took, time: eventTimes())
    }

    /// What became of the child.
    private enum End {
        case ended(ProcessEnd)
        case neverRan(String)
        case killed

        var words: String {
            switch self {
            case .ended(let end): end.description
            case .neverRan(let reason): reason
            case .killed: "it did not end by itself and was killed"
            }
        }
    }

    private var arguments: [String] {
        [SelfTestProgram.command, "\(scenarios)/\(run.trial.scenario).yaml", "--out", folder, "--seed", "\(seed)"]
            + (run.defect.map { ["--defect", $0.name] } ?? [])
            + run.trial.overrides.flatMap { ["--set", $0] }
    }

    private var errorsPath: String { "\(folder)/errors.txt" }
    private func file(_ name: String) -> String { "\(folder)/\(run.trial.scenario)/latest/\(name)" }

    /// On a thread of its own, which the child's death signal hangs on: it is told to heal when this process is killed.
    private func execute(_ isInterrupted: () -> Bool) -> End {
        // A report of an earlier self-test must not be taken for this one's.
        if SmallFile.exists(folder), !SmallFile.isPlain(errorsPath) {
            return .neverRan("\(folder) is there already, and is not a self-test's: name another folder with --out")
        }
        do {
            if SmallFile.exists(folder) { try FileManager.default.removeItem(atPath: folder) }
            try SmallFile.makeFolders(folder)
        } catch let error as SystemError {
            return .neverRan("cannot make \(folder) anew: \(error)")
        } catch {
            return .neverRan("cannot make \(folder) anew: what is in it cannot be removed")
        }
        let errors = open(errorsPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard errors >= 0 else { return .neverRan("cannot write \(errorsPath): \(errorText(errno))") }
        defer { close(errors) }
        let child: ChildProcess
        do {
            child = try ChildProcess(
                SpawnRequest(path: program, arguments: arguments, standardError: errors, deathSignal: SIGTERM))
        } catch {
            return .neverRan("\(error)")
        }
        var endsAt = MonotonicInstant.now.advanced(by: Self.limit)
        var wasInterrupted = false
        while true {
            if let end = child.waitBlocking(until: min(endsAt, .now.advanced(by: .milliseconds(100)))) {
                return .ended(end)
            }
            if !wasInterrupted, isInterrupted() {
                wasInterrupted = true
                endsAt = .now.advanced(by: Self.graceAfterInterrupt)
                child.signal(SIGINT)
            }
            if MonotonicInstant.now >= endsAt {
                // Its watchdog heals what it did.
                child.signal(SIGKILL)
                _ = child.waitBlocking(until: .now.advanced(by: .seconds(5)))
                return .killed
            }
        }
    }

    private var report: JSONValue? {
        guard let text = try? String(contentsOfFile: file("report.json"), encoding: .utf8) else { return nil }
        return try? JSONValue(parsing: text)
    }

    /// When each event happened, in seconds. Event n is line n of the history.
    private func eventTimes() -> (Int) -> Double? {
        guard let data = FileManager.default.contents(atPath: file("history.jsonl")) else { return { _ in nil } }
        let lines = data.split(separator: UInt8(ascii: "\n"))
        return { index in
            guard lines.indices.contains(index), let text = String(bytes: lines[index], encoding: .utf8),
                let event = try? JSONValue(parsing: text), event["i"]?.intValue == Int64(index)
            else { return nil }
            return event["t"]?.intValue.map { Double($0) / 1e9 }
        }
    }
}
