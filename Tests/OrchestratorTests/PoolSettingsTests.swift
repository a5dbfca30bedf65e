import Checkers
import RigModel
import ScenarioFile
import Testing

@testable import Orchestrator

/// What the history is told of several pools, judged by those who read it.
@Test(arguments: [(12, Verdict.valid), (13, .invalid)])
func limitsOfSeveralPoolsAreTheirOwnAndAddUp(_ open: Int, _ verdict: Verdict) {
    var pool = Scenario.Pool()
    (pool.maxOpen, pool.minIdle, pool.maxWaiters, pool.instances) = (4, 2, 7, 3)
    let told = PoolSettings(pool).event
    #expect(told["max_open"] == 4)
    #expect(told["min_idle"] == 2)
    #expect(told["max_waiters"] == 7)
    #expect(told["connects_in_flight"] == JSONValue(pool.maxConnecting))
    #expect(told["instances"] == 3)
    #expect(
        Event(index: 0, time: 0, kind: .info, process: .pool, function: "configured", value: told)
            .isConfigurationOfOwnPool)
    var checker = MaxOpenConnections(Parameters())
    for (index, (function, value)) in [
        ("configured", told), ("gauges", ["open": JSONValue(open), "in_use": 1, "connecting": 0]),
    ].enumerated() {
        checker.observe(
            Event(index: index, time: Int64(index), kind: .info, process: .pool, function: function, value: value))
    }
    checker.observe(Event(index: 2, time: 2, kind: .info, process: .probe, function: "sample"))
    #expect(checker.finish().verdict == verdict)
}

@Test func onePoolTellsNoInstances() {
    #expect(PoolSettings(Scenario.Pool()).event["instances"] == nil)
}
