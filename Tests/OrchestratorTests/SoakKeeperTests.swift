import Foundation
import HostSystem
import Reporting
import RigModel
import RigTestSupport
import Testing

@testable import Orchestrator

struct SoakKeeperTests {
    private let fixture: SoakFixture

    init() throws { fixture = try SoakFixture() }

    private func refusal(_ body: () throws(RunError) -> SoakKeeper) -> String? {
        do throws(RunError) { _ = try body() } catch {
            if case .usage(let words) = error { return words }
        }
        return nil
    }

    /// A window that has ended.
    private func end(
        _ keeper: SoakKeeper, _ verdict: Verdict, signal: Int32? = nil, environment: [JSONValue.Member] = []
    ) async throws {
        let window = try keeper.beginWindow()
        _ = try SyntheticHistory.write(operations: 300, to: window.historyPath)
        var judge = Judge(fixture.scenario)
        judge.observe(
            Event(
                index: 0, time: 0, kind: .info, process: .probe, function: "outcome",
                value: RunRecord.outcome(problems: [], signal: signal)))
        let facts = RunFacts(judge: judge, target: "SQLite", environment: [], pool: [], duration: .seconds(5))
        let result = InvariantResult(name: "leaks", verdict: verdict, summary: "")
        let report = RunReport(
            scenario: "brief", scenarioSummary: "", seed: window.seed, verdict: verdict, exitCode: 0, notes: [],
            startedAt: "2026-11-21T22:00:00Z", durationSeconds: 5, environment: environment, target: "SQLite",
            faults: [], invariants: [result], workload: [], droppedOperations: 0, pool: [], recovery: [], replay: "")
        try await keeper.end(window, report, facts)
    }

    @Test func soakThatRunsIsNotResumed() throws {
        var keeper: SoakKeeper? = try fixture.keeper()
        let path = try #require(keeper?.folder.path)
        let window = try #require(try keeper?.beginWindow())
        let words = refusal { () throws(RunError) in try fixture.keeper(from: path) }
        #expect(words?.contains("process \(ProcessIdentity.current.pid) runs now") == true)
        // The window of the one that runs is still there.
        #expect(SmallFile.exists(window.path))
        withExtendedLifetime(keeper) {}
        keeper = nil
        #expect(try fixture.keeper(from: path).log.notes == ["window 1 was cut by the end of the rig, and run again"])
    }

    @Test func planOfASoakIsKeptOrMadeLonger() throws {
        let path = try fixture.stored("20261121T220000Z-7") { $0.elapsedSeconds = 3 * 3600 }
        #expect(try fixture.keeper(from: path).log.plannedSeconds == 8 * 3600)
        #expect(try fixture.keeper(for: .seconds(4 * 3600), from: path).log.plannedSeconds == 4 * 3600)
        let words = refusal { () throws(RunError) in try fixture.keeper(for: .seconds(3600), from: path) }
        #expect(words?.contains("has run 3 h already, longer than --for") == true)
    }

    @Test("A soak that ends before its first window knows where it ran: the schema of reports wants that")
    func soakWithoutWindows() throws {
        let keeper = try fixture.keeper()
        try keeper.end(signal: 2, gaveUp: nil)
        let report = try JSONValue(parsing: #require(SmallFile.text(keeper.folder.file("report.json"))))
        for key in ["chaosrig", "kernel", "machine", "cores"] {
            #expect(report["environment"]?[key] != nil, "\(key)")
        }
    }

    @Test func interruptedWindowIsKeptForItsFinding() async throws {
        let keeper = try fixture.keeper()
        try await end(keeper, .valid)
        try await end(keeper, .unknown, signal: 2)
        #expect(keeper.log.windows.count == 1 && !SmallFile.exists(keeper.folder.file("windows/0002")))
        try await end(keeper, .invalid, signal: 2)
        #expect(keeper.log.windows.map(\.verdict) == [.valid, .invalid])
        for name in ["history.jsonl", "report.html", "report.json"] {
            #expect(SmallFile.exists(keeper.folder.file("windows/0002/\(name)")), "\(name)")
        }
        try keeper.end(signal: 2, gaveUp: nil)
        let stored = try StoredSoak.read(keeper.folder.path)
        #expect(!stored.isFinished && stored.signal == 2)
        #expect(SoakVerdict(stored).reasons.first == "leaks is violated in window 2")
    }

    @Test func windowThatCouldNotBeJudgedKeepsItsHistory() async throws {
        let keeper = try fixture.keeper()
        try await end(keeper, .unknown)
        try await end(keeper, .valid)
        #expect(SmallFile.exists(keeper.folder.file("windows/0001/history.jsonl")))
        #expect(SmallFile.exists(keeper.folder.file("windows/0002/excerpt.jsonl")))
        let window = try #require(keeper.log.windows.first)
        #expect(window.keptBytes == window.historyBytes && window.reportBytes > 0 && window.pageBytes == 0)
    }

    @Test func soakThatGaveUpIsNotFinishedAndGoesOn() throws {
        var keeper: SoakKeeper? = try fixture.keeper(for: .seconds(3600))
        let path = try #require(keeper?.folder.path)
        try keeper?.end(signal: nil, gaveUp: .init(reason: "no server", exitCode: 3))
        keeper = nil
        let stored = try StoredSoak.read(path)
        #expect(!stored.isFinished && SoakVerdict(stored).exitCode == 3)
        #expect(UnfinishedSoak.find(fixture.scenario, in: fixture.out).folder == path)
        #expect(try fixture.keeper(from: path).log.gaveUp == nil)
    }

    @Test func finishedMeansThatTheReportsAreThere() throws {
        let keeper = try fixture.keeper(for: .nanoseconds(1))
        let obstacle = keeper.folder.file("report.md")
        try SmallFile.makeFolder(obstacle)
        #expect(throws: RunError.self) { try keeper.end(signal: nil, gaveUp: nil) }
        #expect(try !StoredSoak.read(keeper.folder.path).isFinished)
        try FileManager.default.removeItem(atPath: obstacle)
        try keeper.end(signal: nil, gaveUp: nil)
        #expect(try StoredSoak.read(keeper.folder.path).isFinished)
        for name in ["report.md", "report.html", "report.json", "junit.xml"] {
            #expect(SmallFile.exists(keeper.folder.file(name)), "\(name)")
        }
        #expect(try StoredSoak.page(keeper.folder.path).contains("<h1>brief</h1>"))
    }

    @Test func soakOverAnotherBuildSaysSo() async throws {
        let keeper = try fixture.keeper()
        try await end(keeper, .valid, environment: [.init("commit", "abc1234")])
        try await end(keeper, .valid, environment: [.init("commit", "abc1234")])
        #expect(keeper.log.notes.isEmpty)
        try await end(keeper, .valid, environment: [.init("commit", "def5678")])
        #expect(keeper.log.notes == ["from window 3 on: commit def5678, before abc1234"])
    }

    @Test func commandForAWindowIsNamed() async throws {
        let keeper = try fixture.keeper()
        try await end(keeper, .valid)
        try await end(keeper, .invalid)
        let path = keeper.folder.path
        let seeds = keeper.log.windows.map(\.seed)
        #expect(StoredSoak.replay(path) == "chaosrig run \(path)/scenario.yaml --seed \(seeds[1])")
        #expect(
            StoredSoak.replay("\(path)/windows/0001") == "chaosrig run \(path)/scenario.yaml --seed \(seeds[0])")
        #expect(StoredSoak.replay(fixture.folder.path) == nil)
    }
}
