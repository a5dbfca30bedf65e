import Foundation
import Glibc
import HostSystem
import RigModel
import RigTestSupport
import Testing
import Threading

/// The metrics of a run, read by those who read them: a real Prometheus, its promtool, and clients that do not behave.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct MetricsSuite {
    /// A run that goes on until it is interrupted.
    private static func scenario(fault: String = "kill-connections: {select: all}", faults: String = "300s") -> String {
        """
        name: metrics
        target: {postgres: managed}
        pool: {max-open: 4}
        workload: {clients: 8, rate: 100/s, mix: {append: 50, read: 50}}
        phases: {warm-up: 500ms, steady: 500ms, faults: \(faults), settle: 1s}
        faults:
          - \(fault)
            at: 500ms
        invariants: {zero-leaked-connections: {}, own-results: {}}

        """
    }

    /// Holds for every form in which Prometheus may scrape.
    private static let queries = [
        "up == 1", #"chaosrig_run_info{scenario="metrics",seed="7"} == 1"#, "chaosrig_build_info",
        #"chaosrig_run_phase{phase="faults"} == 1"#, #"sum(chaosrig_operations_total{outcome="ok"}) > 50"#,
        #"chaosrig_faults_landed_total{kind="kill-connections"} == 1"#,
        #"chaosrig_faults_healed_total{kind="kill-connections"} == 1"#,
        #"chaosrig_faults_active{kind="kill-connections"} == 0"#, "chaosrig_faults_planned == 1",
        "chaosrig_pool_open_connections > 0", "chaosrig_pool_max_open_connections == 4",
        "chaosrig_pool_connections_opened_total > 4", "chaosrig_server_sessions > 0",
        #"chaosrig_pool_connections_closed_total{reason="lost"} > 0"#, "rate(chaosrig_pool_acquires_total[10s]) > 0",
        #"chaosrig_invariant_violations{invariant="own-results"} == 0"#, "process_resident_memory_bytes > 1e6",
        "rate(process_cpu_seconds_total[10s]) > 0", "process_open_fds > 3", "process_start_time_seconds > 1.6e9",
    ]

    /// Of one scrape: what a histogram holds is what the counter counted, and all of it lies in buckets.
    private static let classicQueries = [
        #"chaosrig_operation_duration_seconds_count == on (kind) chaosrig_operations_total{outcome="ok"}"#,
        #"chaosrig_operation_duration_seconds_bucket{kind="read",le=~"10|10.0"} > 20"#,
        "histogram_quantile(0.9, sum by (le) (rate(chaosrig_operation_duration_seconds_bucket[10s]))) < 10",
        "histogram_quantile(0.9, rate(chaosrig_operation_scheduled_lag_seconds_bucket[10s])) < 10",
        "chaosrig_pool_connect_duration_seconds_count > 4",
    ]
    private static let nativeQueries = [
        #"histogram_count(chaosrig_operation_duration_seconds) == on (kind) chaosrig_operations_total{outcome="ok"}"#,
        "histogram_fraction(0, 100, chaosrig_operation_duration_seconds{kind=\"read\"}) == 1",
        "histogram_quantile(0.9, sum(rate(chaosrig_operation_duration_seconds[10s]))) < 10",
        "histogram_quantile(0.1, sum(rate(chaosrig_operation_duration_seconds[10s]))) > 0.00001",
        "histogram_quantile(0.9, rate(chaosrig_operation_scheduled_lag_seconds[10s])) < 10",
        "histogram_count(chaosrig_pool_connect_duration_seconds) > 4",
        "histogram_sum(chaosrig_pool_connect_duration_seconds) > 0",
    ]

    /// What the alert rules and the dashboard ask of histograms, over a time that a short run has.
    private static func documentedQueries() throws -> [String] {
        func text(_ name: String) throws -> String {
            try String(contentsOfFile: "\(Rig.root)/docs/\(name)", encoding: .utf8)
        }
        let dashboard = try JSONValue(parsing: text("grafana-dashboard.json"))
        let panels = (dashboard["panels"]?.arrayValue ?? []).flatMap { $0["targets"]?.arrayValue ?? [] }
        let rule = try #require(
            text("prometheus-alerts.yml").firstMatch(of: /\n( *\(\n *histogram_quantile[^>]*\)) > 1\n/))
        let queries = panels.compactMap { $0["expr"]?.stringValue }.filter { $0.contains("_bucket") } + [String(rule.1)]
        return queries.map { query in
            "count(\(query.replacing("$__rate_interval", with: "10s").replacing("$instance", with: ".*").replacing("[5m]", with: "[10s]")))"
        }
    }

    @Test(
        "A Prometheus scrapes a run, and what the rules and the dashboard ask of it has an answer",
        arguments: [false, true])
    func prometheus(native: Bool) async throws {
        let rig = try await RunningRig(Self.scenario())
        let prometheus = try await RunningPrometheus(scraping: rig.address, native: native)
        let documented = try Self.documentedQueries()
        #expect(documented.count > 10)
        for query in Self.queries + (native ? Self.nativeQueries : Self.classicQueries) + documented {
            try await prometheus.expect(query)
        }
        // Nothing of the other form: the one that was meant was scraped.
        let other = native ? "chaosrig_operation_duration_seconds_bucket" : "chaosrig_operation_duration_seconds"
        #expect(try await prometheus.values("count(\(other))").isEmpty)
        #expect(await rig.end() == .exited(130), "\(rig.log)")
        await #expect(throws: HTTPClientError.self) { try await rig.client.send("GET", "/metrics") }
        try await prometheus.expect("up == 0")
        await prometheus.end()
    }

    @Test func promtoolAcceptsWhatARunServes() async throws {
        let rig = try await RunningRig(Self.scenario())
        var text = ""
        // Until everything that a run can have is there.
        while !text.contains("chaosrig_faults_landed_total{kind=\"kill-connections\"} 1"), rig.isRunning {
            let reply = try await rig.client.send("GET", "/metrics")
            #expect(reply.status == 200)
            #expect(reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            text = reply.body
        }
        let program = try #require(findProgram("promtool"), "scripts/install-missing metrics installs it")
        let check = try await ProgramCall(
            path: program, arguments: ["check", "metrics"], standardInput: Array(text.utf8)
        ).run()
        #expect(check.succeeded && check.standardError.isEmpty, "\(check.standardOutput)\(check.standardError)")
        let open = try await rig.client.send(
            "GET", "/metrics", headers: [("Accept", "application/openmetrics-text; version=1.0.0")])
        #expect(open.headers["content-type"]?.hasPrefix("application/openmetrics-text") == true)
        #expect(open.body.hasSuffix("# EOF\n"))
        #expect(try await rig.client.send("GET", "/else").status == 404)
        let refused = try await rig.client.send("DELETE", "/metrics")
        #expect(refused.status == 405 && refused.headers["allow"] == "GET, HEAD")
        #expect(await rig.end() == .exited(130), "\(rig.log)")
    }

    @Test("Faults that put the run into a network of its own leave its metrics where they were asked for")
    func stage() async throws {
        let rig = try await RunningRig(Self.scenario(fault: "latency: {latency: 20ms}\n    for: 100s"))
        var text = ""
        while !text.contains("chaosrig_faults_active{kind=\"latency\"} 1"), rig.isRunning {
            text = try await rig.client.send("GET", "/metrics").body
        }
        #expect(rig.isRunning && !rig.log.contains("no private stage"), "\(rig.log)")
        #expect(await rig.end() == .exited(130), "\(rig.log)")
    }

    @Test func clientsThatHangKeepNeitherTheRunNorOthersWaiting() async throws {
        let rig = try await RunningRig(Self.scenario(faults: "4s"))
        let words = [
            "", "GET /met", "GET /metrics HTTP/1.1\r\nHost: x\r\n",
            "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx",
            // Asks, and never reads the answers.
            String(repeating: "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", count: 100),
        ]
        let sockets = try words.flatMap { text in try (0..<4).map { _ in try rig.client.open(saying: Array(text.utf8)) }
        }
        defer { for socket in sockets { close(socket) } }
        for _ in 0..<3 { #expect(try await rig.client.send("GET", "/metrics").status == 200) }
        #expect(await rig.end(nil) == .exited(0), "\(rig.log)")
    }

    @Test func addressThatCannotBeHadEndsBeforeAnythingStarts() async throws {
        let folder = try TemporaryFolder()
        let taken = try await RunningRig(Self.scenario())
        for (address, code, words) in [
            (taken.address, Int32(3), "Address already in use"), ("127.0.0.1", 2, "missing port"),
            (":9464", 2, "name the host"), ("/tmp/socket", 2, "needs HOST:PORT"),
        ] {
            let result = try await Rig.command([
                "run", "faults/quickstart-sqlite.yaml", "--out", folder.file("out"), "--metrics", address,
            ])
            #expect(result.exitCode == code && result.errors.contains(words), "\(address): \(result.errors)")
            #expect(!SmallFile.exists(folder.file("out")))
        }
        #expect(await taken.end() == .exited(130), "\(taken.log)")
    }
}
