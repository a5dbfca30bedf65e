import RigModel

@testable import ScenarioFile

/// A catalogue of the tests' own: the loader must know no fault, invariant or operation by itself.
let testCatalogue = ScenarioCatalogue(
    faults: [
        Shape(
            name: "stumble", summary: "a fault that is over at once",
            parameters: [
                Parameter("count", .choice(["all"]), .count, .share, default: .choice("all"), summary: "how many"),
                Parameter("mode", .choice(["soft", "hard"]), default: .choice("soft"), summary: "how"),
            ]),
        Shape(
            name: "fog", summary: "a fault that lasts",
            parameters: [Parameter("density", .duration, isRequired: true, summary: "how thick")], isLasting: true),
    ],
    invariants: [
        Shape(
            name: "recovery", summary: "comes back",
            parameters: [
                Parameter("within", .duration, default: .duration(.seconds(5)), summary: "limit"),
                Parameter("throughput", .share, default: .share(0.9), summary: "how much"),
            ]),
        Shape(name: "no-leaks", summary: "loses nothing"),
        Shape(name: "thresholds", summary: "bounds", takesThresholds: true),
    ],
    workloads: ["append", "read", "transfer", "inspect"].map { Shape(name: $0, summary: "") },
    transactionWorkloads: ["transfer"], steadyWorkloads: ["inspect"],
    checkParameters: { kind, parameters, target in
        guard kind == "stumble" else { return [] }
        if parameters["count"] == .count(13) { return [("count", "not on a Friday")] }
        if target == .temporarySQLite, parameters["count"] == .count(14) { return [(nil, "the file is too soft")] }
        return []
    })

/// The smallest scenario that is right.
let minimal = """
    # What it breaks.
    # What green proves.
    target: {sqlite: temporary}
    workload:
      mix: {append: 1}
    """

/// Loads a text, with what a test wants changed.
func load(
    _ text: String, overrides: [String] = [], environment: [String: String] = [:]
) throws(ScenarioErrors) -> Scenario {
    try ScenarioLoader(catalogue: testCatalogue).load(
        Array(text.utf8), file: "x.yaml", defaultName: "x", overrides: overrides, environment: environment)
}

/// The text of the complaint about a scenario; empty when there is none.
func complaint(
    _ text: String, overrides: [String] = [], environment: [String: String] = [:]
) -> String {
    do throws(ScenarioErrors) {
        _ = try load(text, overrides: overrides, environment: environment)
        return ""
    } catch {
        return error.description
    }
}
