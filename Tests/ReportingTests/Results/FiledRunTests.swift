import RigModel
import Testing

@testable import Reporting

struct FiledRunTests {
    private func read(_ report: JSONValue) throws -> FiledRun {
        try FiledRun(report: report, folder: "db-restart/1", scenarioText: "name: x", scenarioHash: "abc")
    }

    @Test("Everything that the trend follows is read from report.json")
    func reportIsRead() throws {
        var report = sampleReport()
        report.environment += [.init("commit", "1a2b3c4d5e6f"), .init("commit_dirty", true), .init("build", "debug")]
        report.resources = [.init("peak_rss_bytes", 1_000_000), .init("machine_runnable_mean", 2.5)]
        let run = try read(ReportJSON.encode(report))
        #expect(run.scenario == "db-restart")
        #expect(run.seed == "42")
        #expect(run.verdict == "invalid")
        #expect(run.exitCode == 1)
        #expect(run.durationSeconds == 32.4321)
        #expect(run.origin.shortCommit == "1a2b3c4d5e+")
        #expect(run.origin.cores == 4)
        #expect(run.invariants.map(\.verdict) == ["invalid", "valid", "unknown"])
        #expect(run.invariants.first?.findings == 1)
        let append = try #require(run.operations.first)
        #expect(append.kind == "append" && append.ok == 100 && append.fail == 12 && append.info == 3)
        #expect(abs((append.p50 ?? 0) - 50) < 1)
        let recovery = try #require(run.recoveries.first)
        #expect(recovery.kind == "restart")
        #expect(recovery.firstOkSeconds == 0.31 && recovery.fullPoolSeconds == 0.52 && recovery.p95Seconds == nil)
        #expect(recovery.lostOperations == 103)
        #expect(run.measure("peak_rss_bytes") == 1e6)
        #expect(run.measure(FiledRun.runnableThreads) == 2.5)
        #expect(run.measure("dropped_operations") == 7)
    }

    @Test(
        "What is no report is refused with the reason",
        arguments: ["schema", "scenario", "seed", "started_at", "verdict"])
    func gapsAreRefused(missing: String) throws {
        guard case .object(let members) = ReportJSON.encode(sampleReport()) else { return }
        #expect(throws: ResultsError.self) { try read(.object(members.filter { $0.key != missing })) }
    }

    @Test("A run that was interrupted and left something behind counts as interrupted, though its exit code is 5")
    func interruptedWithLeftovers() throws {
        var report = sampleReport()
        report.exitCode = 5
        #expect(try !read(ReportJSON.encode(report)).wasInterrupted)
        report.notes = ["interrupted by SIGINT", "left behind: a rule"]
        #expect(try read(ReportJSON.encode(report)).wasInterrupted)
    }

    @Test("The numbers of a soak are those of its windows, and the same for a longer night")
    func soakIsFollowed() throws {
        func numbers(_ count: Int) throws -> [String: Double] {
            let windows = (1...count).map { number in
                SoakSample.window(number) { window in
                    window.numbers.okPerSecond = 300
                    window.numbers.failed = 5
                    window.slowestRecoverySeconds = 2
                }
            }
            let run = try read(ReportJSON.encode(SoakReport.make(SoakSample.log(windows))))
            return Dictionary(
                uniqueKeysWithValues: MetricCatalogue.values(of: run).map { ($0.metric.name, $0.value) })
        }
        let short = try numbers(10)
        #expect(short["window.p99"] == 20 && short["throughput.steady"] == 300)
        #expect(short["window.memory"] == 60 * 1_048_576 && short["window.descriptors"] == 40)
        #expect(short["window.sessions"] == 12)
        #expect(short["window.lost"].map { abs($0 - 5000.0 / 1005) < 1e-9 } == true)
        #expect(short.values.allSatisfy { $0.isFinite } && short.count == 8)
        #expect(try numbers(80) == short)
    }

    @Test("A soak without a whole window is not filed")
    func soakWithoutWindows() throws {
        let error = #expect(throws: ResultsError.self) {
            try read(ReportJSON.encode(SoakReport.make(SoakSample.log([]))))
        }
        #expect(error?.description.contains("no window of it is whole") == true)
    }

    @Test("A report of an earlier version has gaps, and is filed all the same")
    func earlierReportIsRead() throws {
        guard case .object(let members) = ReportJSON.encode(sampleReport()) else { return }
        let run = try read(.object(members.filter { $0.key != "resources" && $0.key != "environment" }))
        #expect(run.origin == RunOrigin())
    }
}
