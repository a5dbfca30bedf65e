import RigModel
import Testing

@testable import ScenarioFile

private let groups =
    minimal
        + """

        faults:
          - random:
              - stumble: {}
                weight: 3
              - fog: {density: 1s}
                for: 500ms
            every: 2s
            jitter: 100ms
          - stumble: {count: 2}
            at: 1s
          - sequence: [{fog: {density: 2s}, for: 1s}, {stumble: {mode: hard}}]
            at: 4s
            gap: 250ms
        """

@Test func groupsShareTheirSchedule() throws {
    let faults = try load(groups).faults
    #expect(faults.map(\.kind) == ["stumble", "fog", "stumble", "fog", "stumble"])
    #expect(faults.map { $0.group?.number } == [0, 0, nil, 2, 2])
    #expect(faults[0].group == .random(number: 0, weight: 3) && faults[1].group == .random(number: 0, weight: 1))
    #expect(faults[3].group == .sequence(number: 2, gap: .milliseconds(250)))
    #expect(faults.map(\.schedule.at) == [.seconds(2), .seconds(2), .seconds(1), .seconds(4), .seconds(4)])
    #expect(faults[1].schedule.every == .seconds(2) && faults[1].schedule.duration == .milliseconds(500))
}

@Test func resolvedGroupsLoadAgainToTheSame() throws {
    let scenario = try load(groups)
    #expect(try load(ResolvedScenario.yaml(scenario)) == scenario)
}

@Test(
    arguments: [
        ("- random: []", "x.yaml:7:5: random: a list of faults was expected"),
        ("- random: [{fog: {density: 1s}}]\n    every: 1s", "fog: in a random it needs for:"),
        ("- random: [{stumble: {}, weight: 0}]", "weight: a number above 0 was expected"),
        ("- random: [{stumble: {}, at: 2s}]", "unknown key \"at\" in a fault of a random group"),
        ("- sequence: [{stumbel: {}}]", "unknown fault \"stumbel\"; did you mean \"stumble\"?"),
        ("- sequence: [{stumble: {}}]\n    weight: 2", "unknown key \"weight\""),
        ("- stumble: {}\n    gap: 2s", "unknown key \"gap\""),
        ("- sequnce: [{stumble: {}}]", "did you mean \"sequence\"?"),
    ])
func wrongGroupsAreRefusedWithTheirPlace(_ lines: String, _ expected: String) {
    let text = complaint(minimal + "\nfaults:\n  " + lines + "\n")
    #expect(text.contains(expected), "\(text)")
}

@Test func whatIsWrongWithTheFaultsAsAWholeIsToldAtTheirPlace() {
    var catalogue = testCatalogue
    catalogue.checkFaults = { entries, _ in entries.count > 1 ? [(1, "two are too many")] : [] }
    let text = minimal + "\nfaults:\n  - stumble: {}\n  - stumble: {}\n"
    do throws(ScenarioErrors) {
        _ = try ScenarioLoader(catalogue: catalogue).load(Array(text.utf8), file: "x.yaml", defaultName: "x")
        Issue.record("the scenario was accepted")
    } catch {
        #expect(error.description.contains("x.yaml:8:5: two are too many"), "\(error)")
    }
}
