import Foundation
import RigModel
import Testing

@testable import Reporting

/// The trend and the comparison as people and programs get them.
struct TrendPagesTests {
    private func trend(planted: Int?) -> Trend {
        var builder = RunBuilder(seed: 11)
        let runs = (0..<30).map { builder.run(slower: $0 == planted ? 4 : 1) }
        return Trend(scenario: "db-restart", runs: runs)
    }

    @Test func textNamesTheSlowRun() {
        let text = TrendText.render([trend(planted: 14)], width: 100, color: false)
        #expect(text.contains("drift in 3 metrics"), "\(text)")
        #expect(text.contains("in run 15"))
        #expect(TrendText.render([trend(planted: nil)], width: 100, color: false).contains("no drift over 30 runs"))
    }

    @Test("A change that is too small to matter is told as it is")
    func smallChangesAreTold() throws {
        var builder = RunBuilder(seed: 11)
        var runs = (0..<10).map { _ in builder.run() }
        for position in runs.indices { runs[position].recoveries[0].lostOperations = position == 9 ? 2 : 1 }
        let rows = TrendWords.rows(Trend(scenario: "db-restart", runs: runs))
        let row = try #require(rows.first { $0.title == "restart: operations lost" })
        #expect(row.usual == "1" && row.newest == "2" && row.change == "+100 %", "\(row)")
    }

    @Test("JSON names metric, run and values")
    func jsonNamesTheSlowRun() throws {
        let value = TrendJSON.encode([trend(planted: 14)], database: "runs/results.db")
        _ = try JSONValue(parsing: value.prettyText)
        #expect(value["drift"] == true)
        #expect(value["drift_now"] == false)
        let scenario = try #require(value["scenarios"]?.arrayValue?.first)
        let drift = try #require(scenario["drift"]?.arrayValue)
        #expect(drift.count == 3)
        #expect(drift.allSatisfy { $0["run"] == 15 && $0["kind"] == "slow-run" && $0["worse"] == true })
        #expect(scenario["runs"]?.arrayValue?.count == 30)
        #expect(scenario["metrics"]?.arrayValue?.allSatisfy { $0["values"]?.arrayValue?.count == 30 } == true)
    }

    @Test("The page needs no network, marks the flagged points, and shows no markup of others")
    func htmlIsSelfContained() {
        var runs = trend(planted: 14).runs
        for position in runs.indices { runs[position].origin.host = "h" }
        runs[29].folder = "<script>alert(1)</script>"
        let page = TrendHTML.render([Trend(scenario: "a<b>&\"", runs: runs)])
        #expect(page.contains("a&lt;b&gt;&amp;&quot;"))
        #expect(!page.contains("<script"))
        #expect(!page.contains("http:") && !page.contains("https:") && !page.contains("@import"))
        #expect(page.components(separatedBy: "class=\"flag\"").count == 4)
        #expect(page.contains("prefers-color-scheme: dark"))
        let opened = page.components(separatedBy: "<g>").count
        #expect(opened == page.components(separatedBy: "</g>").count)
    }

    @Test("Markdown keeps its table whatever a scenario is called")
    func markdownIsEscaped() {
        let text = TrendMarkdown.render([Trend(scenario: "a|b*c", runs: trend(planted: 29).runs)])
        #expect(text.contains("## a\\|b\\*c: drift in 3 metrics"), "\(text)")
        #expect(text.contains("| restart: first success |"))
    }

    @Test("Runs that are left out are no gaps in line and blocks")
    func leftOutRunsLeaveNoGaps() {
        var runs = trend(planted: nil).runs
        for position in runs.indices where position % 2 == 0 { runs[position].origin.cores = 64 }
        let trend = Trend(scenario: "db-restart", runs: runs)
        #expect(trend.comparable == 15)
        #expect(TrendHTML.render([trend]).contains("<polyline class=\"curve\""))
        #expect(!TrendText.render([trend], width: 120, color: false).contains("·"))
    }

    @Test func emptyDatabaseHasAPage() {
        #expect(TrendHTML.render([]).contains("No run is filed"))
        #expect(TrendMarkdown.render([]).contains("No run is filed"))
    }

    @Test("Two runs without a difference that matters have no column for answers, and no line ends in blanks")
    func comparisonOfEquals() {
        var builder = RunBuilder(seed: 1)
        let run = builder.run()
        let lines = ComparisonText.render(Comparison(run, run), width: 100, color: false).split(separator: "\n")
        #expect(lines.count > 5 && !lines.contains { $0.contains("answer") || $0.hasSuffix(" ") }, "\(lines)")
        let worse = ComparisonText.render(Comparison(run, builder.run(slower: 3)), width: 100, color: false)
        #expect(worse.contains("answer") && !worse.split(separator: "\n").contains { $0.hasSuffix(" ") })
    }

    @Test("A comparison tells what changed, what differs, and when not to trust it")
    func comparison() throws {
        var builder = RunBuilder(seed: 1)
        var a = builder.run()
        var b = builder.run(slower: 3)
        b.verdict = "invalid"
        b.invariants = [.init(name: "recovery", verdict: "invalid", findings: 2)]
        b.origin.commit = "ffffffffffff"
        let same = Comparison(a, b)
        #expect(same.warnings.isEmpty)
        #expect(same.verdicts.map(\.name) == ["run", "recovery"])
        #expect(same.differences.map(\.name) == ["commit", "seed"])
        let worse = same.numbers.filter { $0.answer == .worse }.map(\.metric.name)
        #expect(worse == ["recovery.restart.first_ok", "recovery.restart.full_pool", "recovery.restart.throughput"])
        #expect(ComparisonText.render(same, width: 100, color: false).contains("worse"))
        #expect(ComparisonMarkdown.render(same).contains("| worse |"))
        #expect(ComparisonJSON.encode(same)["comparable"] == true)

        b.scenarioHash = "other"
        b.scenarioText = "name: db-restart\nclients: 5\n"
        b.origin.cores = 2
        b.exitCode = 130
        a.measures.append(.init(name: FiledRun.runnableThreads, value: 1))
        b.measures.append(.init(name: FiledRun.runnableThreads, value: 20))
        let other = Comparison(a, b)
        #expect(other.warnings.count == 4, "\(other.warnings)")
        #expect(other.scenarioChanges == ["+ clients: 5"])
        #expect(ComparisonJSON.encode(other)["comparable"] == false)
    }
}
