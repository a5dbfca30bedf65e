package import RigModel

/// All that a soak knows of itself, as `soak.json` keeps it after each window: what it is resumed from, and what its report shows.
package struct SoakLog: Sendable, Equatable {
    package static let schema = "chaosrig.soak/1"

    package var scenario: String
    package var scenarioSummary: String
    package var seed: UInt64
    /// RFC 3339, UTC.
    package var startedAt: String
    /// How long windows are to be started for.
    package var plannedSeconds: Double
    /// Of the rig's own clock, which no change of the machine's time moves; what passed between a kill and the resume is not in it.
    package var elapsedSeconds = 0.0
    package var target = ""
    package var environment: [JSONValue.Member] = []
    package var windows: [SoakWindow] = []
    /// Windows that were cut by the end of the rig, or could not be run, and other things that happened; in words.
    package var notes: [String] = []
    /// What could not be undone, with the command that would.
    package var leftovers: [String] = []
    /// The last signal that ended it early; `nil` once it went on.
    package var signal: Int?
    /// Windows that began, or could not begin, and came to nothing: nobody can judge what the pool did in them.
    package var lostWindows = 0
    /// Why no further window was begun before the time was over; `nil` once it went on.
    package var gaveUp: GaveUp?
    /// The time is over and the reports are written.
    package var isFinished = false
    /// The command that goes on with it, or runs the same again.
    package var replay: String

    package struct GaveUp: Sendable, Equatable {
        package var reason: String
        /// Of the error behind it, as in README.md; `nil`: it was none.
        package var exitCode: Int?

        package init(reason: String, exitCode: Int?) {
            self.reason = reason
            self.exitCode = exitCode
        }
    }

    package init(
        scenario: String, scenarioSummary: String, seed: UInt64, startedAt: String, plannedSeconds: Double,
        replay: String
    ) {
        self.scenario = scenario
        self.scenarioSummary = scenarioSummary
        self.seed = seed
        self.startedAt = startedAt
        self.plannedSeconds = plannedSeconds
        self.replay = replay
    }

    package var nextWindow: Int { (windows.last?.number ?? 0) + 1 }
    package var nextSegment: Int { (windows.last?.segment ?? 0) + 1 }
    package var keptBytes: Int { windows.reduce(0) { $0 + $1.keptBytes } }
    package var historyBytes: Int { windows.reduce(0) { $0 + $1.historyBytes } }
    /// Of the time in which windows begin.
    package var leftSeconds: Double { plannedSeconds - elapsedSeconds }

    /// It goes on: what its end has said is over.
    ///
    /// - Parameter seconds: how long windows are to be started for, in all; `nil`: as it was planned.
    package mutating func goOn(for seconds: Double?) {
        plannedSeconds = seconds ?? plannedSeconds
        notes += leftovers.map { "left behind before the soak went on (chaosrig heal undoes what still is): \($0)" }
        leftovers = []
        isFinished = false
        // Where no time is left nothing follows, and the end stays what it was.
        guard leftSeconds > 0 else { return }
        signal = nil
        gaveUp = nil
    }

    /// Whether so long is less than it has run already, and than was planned: there is nothing to go on with then.
    package func isCutShort(by seconds: Double?) -> Bool {
        seconds.map { $0 < elapsedSeconds && $0 < plannedSeconds } ?? false
    }

    /// What is not as it was when the last window was run: another commit, server, machine; in words.
    package func changes(in environment: [JSONValue.Member]) -> [String] {
        func text(_ value: JSONValue) -> String { value.stringValue ?? value.compactText }
        return environment.compactMap { member in
            // Of the stage each probe is a member of its own, with words about this moment.
            guard member.key != "stage", let before = self.environment.first(where: { $0.key == member.key })?.value,
                before != member.value
            else { return nil }
            return "\(member.key) \(text(member.value)), before \(text(before))"
        }
    }
}

extension SoakLog {
    package var json: JSONValue {
        let verdict = SoakVerdict(self)
        return [
            "schema": .string(Self.schema), "scenario": .string(scenario),
            "scenario_summary": .string(scenarioSummary), "seed": .string(String(seed)),
            "started_at": .string(startedAt), "planned_s": .double(plannedSeconds),
            "elapsed_s": .double(elapsedSeconds), "finished": .bool(isFinished), "target": .string(target),
            "environment": .object(environment), "verdict": .string(verdict.verdict.rawValue),
            "exit_code": JSONValue(Int(verdict.exitCode)), "reasons": .array(verdict.reasons.map(JSONValue.string)),
            "invariants": .object(
                verdict.invariants.map { JSONValue.Member($0.name, .string($0.verdict.rawValue)) }),
            "faults": .object(
                verdict.faults.map {
                    JSONValue.Member($0.kind, ["injected": JSONValue($0.injected), "landed": JSONValue($0.landed)])
                }),
            "drift": .array(verdict.drift.map { .string($0.words) }),
            "history_bytes": JSONValue(historyBytes), "kept_bytes": JSONValue(keptBytes),
            "notes": .array(notes.map(JSONValue.string)), "leftovers": .array(leftovers.map(JSONValue.string)),
            "signal": JSONValue(signal), "lost_windows": JSONValue(lostWindows),
            "gave_up": gaveUp.map { ["reason": .string($0.reason), "exit_code": JSONValue($0.exitCode)] } ?? .null,
            "replay": .string(replay), "windows": .array(windows.map(\.json)),
        ]
    }

    /// `nil` where it is no log of a soak of this version.
    package init?(_ json: JSONValue) {
        guard json["schema"]?.stringValue == Self.schema, let scenario = json["scenario"]?.stringValue,
            let seed = json["seed"]?.stringValue.flatMap(UInt64.init), let startedAt = json["started_at"]?.stringValue,
            let planned = json["planned_s"]?.doubleValue, let elapsed = json["elapsed_s"]?.doubleValue,
            let windows = json["windows"]?.arrayValue, let isFinished = json["finished"]?.boolValue
        else { return nil }
        self.init(
            scenario: scenario, scenarioSummary: json["scenario_summary"]?.stringValue ?? "", seed: seed,
            startedAt: startedAt, plannedSeconds: planned, replay: json["replay"]?.stringValue ?? "")
        elapsedSeconds = elapsed
        self.isFinished = isFinished
        target = json["target"]?.stringValue ?? ""
        if case .object(let members)? = json["environment"] { environment = members }
        let read = windows.compactMap(SoakWindow.init)
        guard read.count == windows.count else { return nil }
        self.windows = read
        notes = json["notes"]?.arrayValue?.compactMap(\.stringValue) ?? []
        leftovers = json["leftovers"]?.arrayValue?.compactMap(\.stringValue) ?? []
        signal = json["signal"]?.intValue.map { Int($0) }
        lostWindows = json["lost_windows"]?.intValue.map { Int($0) } ?? 0
        gaveUp = json["gave_up"].flatMap { value in
            value["reason"]?.stringValue.map {
                GaveUp(reason: $0, exitCode: value["exit_code"]?.intValue.map { Int($0) })
            }
        }
    }
}
