import RigModel
import ScenarioFile

/// What the run says of itself in the history, so that its verdict can be found again from there: what was planned, and what
/// went wrong beside the workload. A fold.
struct RunRecord: Sendable {
    /// `probe/run`, the first thing that is known.
    private(set) var seed: UInt64?
    private(set) var plannedInjections: Int?
    /// Of the `scenario.yaml` that the run wrote: what was to be judged is part of what is judged.
    private(set) var scenarioDigest: String?
    /// `probe/run` was there.
    private(set) var hasBegun = false
    /// `probe/outcome`, just before the end: why something was not looked at.
    private(set) var problems: [String] = []
    /// The signal that ended the run early.
    private(set) var signal: Int32?
    private(set) var hasOutcome = false

    static func started(_ scenario: Scenario, seed: UInt64, plannedInjections: Int) -> JSONValue {
        started(
            scenario: scenario.name, text: ResolvedScenario.yaml(scenario), seed: seed,
            plannedInjections: plannedInjections)
    }

    /// - Parameter text: of `scenario.yaml`.
    static func started(scenario: String, text: String, seed: UInt64, plannedInjections: Int) -> JSONValue {
        [
            "scenario": .string(scenario), "scenario_sha256": .string(SHA256Digest.of(text.utf8)),
            "seed": JSONValue(seed), "planned_injections": JSONValue(plannedInjections),
            "chaosrig": .string(RigVersion.current),
        ]
    }

    static func outcome(problems: [String], signal: Int32?) -> JSONValue {
        ["problems": .array(problems.map { .string($0) }), "signal": signal.map { JSONValue(Int($0)) } ?? .null]
    }

    mutating func observe(_ event: Event) {
        guard event.process == .probe else { return }
        switch event.function {
        case "run":
            hasBegun = true
            scenarioDigest = event.value["scenario_sha256"]?.stringValue
            seed = event.value["seed"]?.intValue.flatMap { UInt64(exactly: $0) }
            plannedInjections = event.value["planned_injections"]?.intValue.flatMap { Int(exactly: $0) }
        case "outcome":
            hasOutcome = true
            problems = event.value["problems"]?.arrayValue?.compactMap(\.stringValue) ?? []
            signal = event.value["signal"]?.intValue.flatMap { Int32(exactly: $0) }
        default: break
        }
    }
}
