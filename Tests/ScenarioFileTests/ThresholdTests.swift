import RigModel
import Testing

@testable import ScenarioFile

/// With an operation, a fault and a phase to measure.
private let measured =
    minimal.replacing("{append: 1}", with: "{append: 1, read: 1}") + "\nfaults: [{fog: {density: 1s}, for: 1s}]"

private func thresholds(_ lines: String, set overrides: [String] = []) throws -> [String: [Threshold]] {
    let scenario = try load(measured + "\ninvariants:\n  thresholds: \(lines)\n", overrides: overrides)
    let entry = try #require(scenario.invariants.first { $0.name == "thresholds" })
    return entry.parameters.values.compactMapValues(\.thresholdsValue)
}

@Test func thresholdsAreTypedByWhatTheyMeasure() throws {
    let read = try thresholds(
        "{acquire.p99: < 50ms, append.p95: <= 80ms, read.max: below 1s, errors: < 1%, append.errors: at most 0.5, "
            + "throughput: \"> 200/s\", operation.p999: < 2s, release.p50: at least 1us}")
    #expect(read["acquire.p99"] == [Threshold(.latency(.acquire, quantile: 0.99), .below, 50e6)])
    #expect(read["append.p95"] == [Threshold(.latency(.operation(kind: "append"), quantile: 0.95), .atMost, 80e6)])
    #expect(read["read.max"] == [Threshold(.latency(.operation(kind: "read"), quantile: 1), .below, 1e9)])
    #expect(read["errors"] == [Threshold(.errors(kind: nil), .below, 0.01)])
    #expect(read["append.errors"] == [Threshold(.errors(kind: "append"), .atMost, 0.5)])
    #expect(read["throughput"] == [Threshold(.throughput(kind: nil), .above, 200)])
    #expect(read["operation.p999"] == [Threshold(.latency(.operation(kind: nil), quantile: 0.999), .below, 2e9)])
    #expect(read["release.p50"]?.first?.comparison == .atLeast)
}

@Test func oneMeasureMayHaveBoundsInSeveralPlaces() throws {
    let measure = Threshold.Measure.latency(.acquire, quantile: 0.99)
    let read = try thresholds(
        "\n    acquire.p99: < 1s, < 50ms in phase steady, < 2s in fault fog, < 3s in fault any, < 60ms in fault none")
    #expect(
        read["acquire.p99"] == [
            Threshold(measure, .below, 1e9), Threshold(measure, .below, 50e6, in: .phase("steady")),
            Threshold(measure, .below, 2e9, in: .fault(kind: "fog")),
            Threshold(measure, .below, 3e9, in: .fault(kind: nil)),
            Threshold(measure, .below, 60e6, in: .outsideFaults),
        ])
    let braces = try thresholds("{acquire.p99: \"< 50ms {phase: steady}, < 2s {fault: fog}\"}")
    #expect(braces["acquire.p99"]?.map(\.scope) == [.phase("steady"), .fault(kind: "fog")])
}

@Test func thresholdMayBeSetOnTheCommandLine() throws {
    let read = try thresholds("{acquire.p99: < 50ms}", set: ["invariants.thresholds.append.p95=< 7ms"])
    #expect(read["append.p95"] == [Threshold(.latency(.operation(kind: "append"), quantile: 0.95), .below, 7e6)])
}

@Test func resolvedThresholdsReadBackAsTheSame() throws {
    let text =
        measured + "\ninvariants: {thresholds: {acquire.p99: \"< 50ms, <= 1.5s in phase steady\", errors: < 1%, "
        + "throughput: above 200/s in fault fog}}\n"
    let scenario = try load(text)
    #expect(try load(ResolvedScenario.yaml(scenario)).invariants == scenario.invariants)
}

@Test func scenarioWithoutAListGetsNoThresholds() throws {
    #expect(try load(minimal).invariants.map(\.name) == ["recovery", "no-leaks"])
}

@Test(
    arguments: [
        ("{}", "x.yaml:7:3: thresholds: name at least one, for example acquire.p99: < 50ms"),
        (
            "{acqire.p99: < 5ms}",
            "acqire.p99: \"acqire\" is no call and no kind of operation; did you mean \"acquire\"?"
        ),
        ("{erors: < 1%}", "erors: nothing is measured under this name; did you mean \"errors\"?"),
        ("{acquire.p98: < 5ms}", "acquire.p98: \"p98\" of acquire is not measured; did you mean \"p9"),
        ("{acquire.errors: < 5%}", "\"errors\" of acquire is not measured"),
        (
            "{acquire.p99: < 50}",
            "x.yaml:7:29: acquire.p99: a duration like 2s or 100ms was expected behind \"<\", not \"50\"; a unit is missing"
        ),
        ("{acquire.p99: < 50/s}", "acquire.p99: a duration like 2s or 100ms was expected behind \"<\", not \"50/s\""),
        ("{errors: < 150%}", "errors: a share like 90% or 0.9 was expected"),
        ("{throughput: above 5ms}", "throughput: a rate like 500/s was expected"),
        ("{acquire.p99: 50ms}", "acquire.p99: a bound like < 50ms was expected, not \"50ms\"; it begins with <"),
        ("{acquire.p99: [1]}", "acquire.p99: a bound like < 50ms was expected, not a list"),
        ("{acquire.p99: < 5ms in phase stedy}", "there is no phase \"stedy\"; did you mean \"steady\"?"),
        ("{acquire.p99: < 5ms in fault frog}", "there is no fault \"frog\"; did you mean \"fog\"?"),
        (
            "{acquire.p99: < 5ms in steady}",
            "\"in phase NAME\" or \"in fault KIND\" was expected behind the limit, not \"in steady\""
        ),
        ("{acquire.p99: \"< 5ms,\"}", "a bound like < 50ms was expected, not \"\""),
        ("{transfer.p99: < 5ms}", "x.yaml:7:16: transfer.p99: there is no \"transfer\" in workload.mix"),
        ("{acquire.p99: < 5ms in fault fog}", "there is no \"fog\" among the scenario's faults; it has none"),
        ("{errors: < 5% in fault any}", "errors: the scenario has no faults"),
        ("{acquire.p99: < 0ms}", "x.yaml:7:29: acquire.p99: < 0ms can never be met: every call takes some time"),
        ("{errors: < 0%}", "errors: < 0% can never be met: no share is less than nothing; write <= 0%"),
        ("{throughput: below 0/s}", "can never be met: no rate is less than nothing"),
        ("{errors: above 100%}", "can never be met: no share is more than all"),
        ("{acqire.p99: < 5ms}", "x.yaml:7:16: acqire.p99"),
        ("{acquire: {p98: < 5ms}}", "x.yaml:7:26: acquire.p98"),
        (
            "{acquire.p99: \"< 50ms, > 60ms\"}",
            "x.yaml:7:29: acquire.p99: < 50 ms and > 60 ms can never both be met; to bound several places"
        ),
        ("{acquire.p99: \"> 60ms in phase steady, <= 60ms in phase steady\"}", "can never both be met"),
        ("{errors: < 1}", "errors: < 1 would be a bound of 100%; write < 1% for one in a hundred, or a share below 1"),
        (
            "{errors: at most 100%}",
            "errors: at most 100% is always met: no share is more than all; it would check nothing"
        ),
        ("{acquire.p99: at least 0ms}", "acquire.p99: at least 0ms is always met"),
        ("{throughput: at least 0/s}", "throughput: at least 0/s is always met"),
        ("{acquire.p99: < 4000d}", "not \"4000d\"; that is too long: ten years at most (3650d)"),
    ])
func wrongThresholdIsNamedBeforeTheRun(_ lines: String, _ expected: String) {
    let text = complaint(minimal + "\ninvariants:\n  thresholds: \(lines)\n")
    #expect(text.contains(expected), "\(text)")
}

@Test func boundsThatSomeValueMeetsAreTaken() throws {
    let several = try thresholds("{acquire.p99: \"< 60ms, >= 60us, > 70ms in fault fog\", errors: < 0.5}")
    #expect(several["acquire.p99"]?.count == 3 && several["errors"]?.first?.limit == 0.5)
    for unit in ["us", "µs", "μs"] {
        #expect(try thresholds("{acquire.p99: \"< 50\(unit)\"}")["acquire.p99"]?.first?.limit == 50_000)
    }
}

@Test func throughputThatTheRateNeverBringsIsRefused() {
    func said(_ bound: String, _ behaviour: String = "{}", rate: String = "rate: 100/s, ") -> String {
        complaint(
            "target: {sqlite: temporary}\nworkload: {\(rate)mix: {append: 1}, behaviour: \(behaviour)}\n"
                + "faults: [{fog: {density: 1s}, at: 1s, for: 1s}]\ninvariants: {thresholds: {throughput: \(bound)}}\n")
    }
    #expect(
        said("above 1000000/s").contains("throughput: above 1000000/s can never be met: by workload.rate at most 100"))
    #expect(said("above 101/s").contains("can never be met"))
    #expect(said("above 99/s").isEmpty && said("at least 100/s").isEmpty)
    #expect(said("above 1000000/s", rate: "").isEmpty)
    #expect(said("above 500/s", "{burst: {factor: 8, every: 5s, for: 1s}}").isEmpty)
    // What had to wait may come there all at once.
    #expect(said("above 150/s in phase steady").isEmpty && said("above 1000/s in fault fog").isEmpty)
    #expect(said("above 300/s in phase steady").contains("can never be met"))
    #expect(said("above 1000000/s in fault fog").contains("can never be met"))
}

@Test func thresholdInAPhaseThatDoesNotLastIsRefused() {
    let text = minimal + "\nphases: {warm-up: 0s}\ninvariants: {thresholds: {acquire.p99: < 5ms in phase warm-up}}\n"
    #expect(complaint(text).contains("acquire.p99: phases.warm-up is 0s: nothing would be measured there"))
}
