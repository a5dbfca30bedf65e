import ConnectionPool
import Exposition
import HostSystem
import RigModel
import RigTestSupport
import ScenarioFile
import Testing
import Threading
import Workloads

@testable import Orchestrator

/// Says what it was told to say.
private struct ToldPool: PoolUnderTest {
    var gauges = PoolGauges()
    var members: [JSONValue.Member] = []
    var tellsGauges = true
    var tellsConnecting = true

    func use(_ request: UseRequest) async -> UseReport { UseReport(outcome: .ok, completion: Completion()) }
    func metrics() -> [JSONValue.Member] { members }
    func openLeases() -> JSONValue { .array([]) }
    func close() async -> Int { 0 }
}

@Suite struct LiveMetricsTests {
    private let folder: TemporaryFolder
    private let scenario: Scenario

    init() throws {
        folder = try TemporaryFolder()
        scenario = try ScenarioLoader(catalogue: Catalogue.scenario).load(
            Array(
                """
                name: watched
                target: {postgres: managed}
                workload: {rate: 10/s, mix: {read: 1}}
                faults:
                  - kill-connections: {}
                    at: 1s
                  - restart: {}
                    at: 3s
                """.utf8), file: "watched.yaml", defaultName: "watched")
    }

    /// A window of a run, as its history tells of it.
    private func run(_ name: String, pool: ToldPool = ToldPool(), _ tell: (HistoryWriter) -> Void) throws -> (
        WatchedRun, HistoryWriter
    ) {
        let history = try HistoryWriter(
            path: folder.file(name), startedAt: .now, fold: Judge(scenario, isWatched: true))
        tell(history)
        _ = try history.finish()
        return (
            WatchedRun(scenario: scenario, seed: 7, plannedFaults: 2, history: history, pool: pool), history
        )
    }

    private func read(_ count: Int, _ history: HistoryWriter) {
        for _ in 0..<count {
            history.record(.invoke, .worker(0), "read")
            history.record(.ok, .worker(0), "read", .null, Completion(lagNanoseconds: 1_000_000))
        }
    }

    private func lines(_ metrics: LiveMetrics) -> Set<String> {
        Set(String(decoding: metrics.collect().encoded(.text), as: UTF8.self).split(separator: "\n").map(String.init))
    }

    @Test func historyIsCounted() throws {
        let metrics = LiveMetrics()
        let (run, _) = try run("h") { history in
            history.beginPhase(.warmUp)
            history.beginPhase(.faults)
            read(3, history)
            history.record(.invoke, .worker(1), "read")
            history.record(.invoke, .worker(2), "read")
            let error = FailureDescription(phase: .query, failureClass: "session-ended", code: "57P01", message: "")
            history.record(.fail, .worker(2), "read", .null, Completion(error: error))
            history.record(.info, .probe, "dropped", ["operations": 4])
            for fact in [
                NemesisFact.inject(fault: 0, kind: "kill-connections", detail: ""),
                .landed(fault: 0, kind: "kill-connections", landed: true, evidence: .null),
            ] { history.record(.info, .nemesis, fact.function, fact.value) }
            history.record(.info, .probe, "sample", ["server_sessions": 9, "client_sockets": .null])
            history.record(.info, .probe, "stall", ["late_ns": 250_000_000])
        }
        metrics.begin(run)
        let lines = lines(metrics)
        for line in [
            #"chaosrig_run_info{scenario="watched",seed="7"} 1"#, #"chaosrig_run_phase{phase="faults"} 1"#,
            #"chaosrig_run_phase{phase="warm-up"} 0"#, #"chaosrig_operations_total{kind="read",outcome="ok"} 3"#,
            #"chaosrig_operations_total{kind="read",outcome="fail"} 1"#,
            #"chaosrig_operation_failures_total{kind="read",reason="57P01 session-ended"} 1"#,
            #"chaosrig_operations_in_flight{kind="read"} 1"#, "chaosrig_operations_dropped_total 4",
            "chaosrig_operation_scheduled_lag_seconds_count 3", "chaosrig_operation_scheduled_lag_seconds_sum 0.003",
            #"chaosrig_operation_duration_seconds_count{kind="read"} 3"#,
            #"chaosrig_faults_injected_total{kind="kill-connections"} 1"#,
            #"chaosrig_faults_landed_total{kind="kill-connections"} 1"#,
            #"chaosrig_faults_active{kind="kill-connections"} 1"#,
            #"chaosrig_faults_healed_total{kind="kill-connections"} 0"#,
            // One that is still to come.
            #"chaosrig_faults_injected_total{kind="restart"} 0"#, "chaosrig_faults_planned 2",
            "chaosrig_server_sessions 9", "chaosrig_stalls_total 1", "chaosrig_stalled_seconds_total 0.25",
        ] { #expect(lines.contains(line), "\(line)") }
        #expect(!lines.contains { $0.hasPrefix("chaosrig_client_sockets") })
    }

    @Test func whatAPoolTellsIsShownAndWhatItDoesNotTellIsNot() throws {
        var pool = ToldPool()
        pool.gauges.open = 3
        pool.members = [
            .init("acquireCount", 5), .init("waitDuration_ms", .double(1500)), .init("breakerOpen", .bool(true)),
            .init("lostClosed", 2), .init("else", 1),
        ]
        let (run, _) = try run("h", pool: pool) { _ in }
        let metrics = LiveMetrics()
        metrics.begin(run)
        let lines = lines(metrics)
        for line in [
            "chaosrig_pool_open_connections 3", "chaosrig_pool_acquires_total 5",
            "chaosrig_pool_wait_duration_seconds_total 1.5", "chaosrig_pool_breaker_open 1",
            #"chaosrig_pool_connections_closed_total{reason="lost"} 2"#,
        ] { #expect(lines.contains(line), "\(line)") }
        #expect(!lines.contains { $0.hasPrefix("chaosrig_pool_retries_total") || $0.contains("else") })
        #expect(!lines.contains { $0.hasPrefix("chaosrig_pool_acquire_wait_seconds") })
    }

    @Test func stateOfAPoolThatTellsNothingOfItIsAbsent() throws {
        func gauges(_ pool: ToldPool) throws -> Set<String> {
            let (run, _) = try run("h-\(pool.tellsGauges)-\(pool.tellsConnecting)", pool: pool) { _ in }
            let metrics = LiveMetrics()
            metrics.begin(run)
            return Set(lines(metrics).filter { $0.hasPrefix("chaosrig_pool_") && $0.hasSuffix(" 0") })
        }
        let all = ["open_connections", "idle_connections", "in_use_connections", "connecting_connections"]
        let names = Set((all + ["waiting_acquires"]).map { "chaosrig_pool_\($0) 0" })
        #expect(try gauges(ToldPool()) == names)
        #expect(
            try gauges(ToldPool(tellsConnecting: false))
                == names.subtracting(["chaosrig_pool_connecting_connections 0"]))
        #expect(
            Sampler.members(of: PoolGauges(), connecting: false).map(\.key) == ["open", "idle", "in_use", "waiting"])
        #expect(try gauges(ToldPool(tellsGauges: false, tellsConnecting: false)) == [])
    }

    @Test func windowsOfASoakAreCountedTogetherAndRunsAreNot() throws {
        let metrics = LiveMetrics()
        let count = #"chaosrig_operations_total{kind="read",outcome="ok"}"#
        for window in 1...3 {
            metrics.begin(try run("w\(window)") { read(10, $0) }.0)
            #expect(lines(metrics).contains("\(count) \(window * 10)"))
            metrics.end(continues: true)
            #expect(!lines(metrics).contains { $0.hasPrefix("chaosrig_run_info") })
        }
        metrics.end()
        metrics.begin(try run("next") { read(10, $0) }.0)
        #expect(lines(metrics).contains("\(count) 10"))
    }

    @Test func faultsOfAWindowThatIsOverAreActiveNoMore() throws {
        let metrics = LiveMetrics()
        for window in 1...3 {
            let (run, _) = try run("w\(window)") { history in
                var facts = [NemesisFact.inject(fault: 0, kind: "restart", detail: "")]
                if window == 1 { facts.append(.heal(fault: 0, kind: "restart", ok: false, forced: false, facts: [:])) }
                for fact in facts { history.record(.info, .nemesis, fact.function, fact.value) }
            }
            metrics.begin(run)
            let lines = lines(metrics)
            for line in [
                #"chaosrig_faults_active{kind="restart"} 1"#,
                #"chaosrig_fault_heal_failures{kind="restart"} \#(window == 1 ? 1 : 0)"#,
                #"chaosrig_faults_injected_total{kind="restart"} \#(window)"#, "chaosrig_faults_planned \(window * 2)",
            ] { #expect(lines.contains(line), "\(line)") }
            metrics.end(continues: true)
        }
    }

    @Test func reasonsThatAnAdapterMakesUpAreBounded() throws {
        func tell(_ history: HistoryWriter) {
            for n in 0..<200 {
                for _ in 0..<(n < 64 ? 2 : 1) {
                    let error = FailureDescription(
                        phase: .query, failureClass: "server-error", code: "\(n)" + String(repeating: "x", count: 200),
                        message: "")
                    history.record(.invoke, .worker(0), "read")
                    history.record(.fail, .worker(0), "read", .null, Completion(error: error))
                }
            }
        }
        let metrics = LiveMetrics()
        for window in 1...2 {
            metrics.begin(try run("w\(window)", tell).0)
            let reasons = lines(metrics).filter { $0.hasPrefix("chaosrig_operation_failures_total{") }
            #expect(reasons.count == 65)
            #expect(
                reasons.contains(#"chaosrig_operation_failures_total{kind="read",reason="other"} \#(window * 136)"#))
            for line in reasons { #expect(line.count < 150, "\(line)") }
            metrics.end(continues: true)
        }
    }

    @Test func verdictsAreThoseOfTheLastTime() {
        let metrics = LiveMetrics()
        metrics.note([InvariantResult(name: "recovery", verdict: .invalid, summary: "")], scenario: "a")
        metrics.note([InvariantResult(name: "recovery", verdict: .valid, summary: "")], scenario: "a")
        let lines = lines(metrics)
        #expect(lines.contains(#"chaosrig_invariant_verdict{scenario="a",invariant="recovery",verdict="valid"} 1"#))
        #expect(lines.contains(#"chaosrig_invariant_verdict{scenario="a",invariant="recovery",verdict="invalid"} 0"#))
    }

    @Test func counterThatShrinksALittleStandsStillAndOneThatBeginsAnewDoesNot() {
        var floor = CounterFloor()
        let shown = [10, 12, 11, 13, 0, 1].map { floor.raise("a", to: $0) }
        #expect(shown == [10, 12, 12, 13, 0, 1])
    }

    @Test func namesFollowThePrometheusConventionsAndAreUnique() {
        let all = RigMetrics.all
        #expect(Set(all.map(\.name)).count == all.count)
        for metric in all {
            #expect((metric.kind == .counter) == metric.name.hasSuffix("_total"), "\(metric.name)")
            if metric.kind == .histogram { #expect(metric.name.hasSuffix("_seconds"), "\(metric.name)") }
            #expect(metric.help.last != ".", "\(metric.name)")
        }
    }
}
