import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Testing

/// What docs/ says of the metrics is what the program serves, and Prometheus' own tool accepts it.
@Suite(.timeLimit(.minutes(3)))
struct MetricDocumentsSuite {
    private struct Metric {
        let name: String
        let kind: String
        let labels: Set<String>
    }

    private func metrics() async throws -> [Metric] {
        let listed = try await Rig.command(["list", "metrics", "--json"])
        return try #require(try JSONValue(parsing: listed.output).arrayValue).map { metric in
            Metric(
                name: try #require(metric["name"]?.stringValue), kind: try #require(metric["kind"]?.stringValue),
                labels: Set(metric["labels"]?.arrayValue?.compactMap(\.stringValue) ?? []))
        }
    }

    private func document(_ name: String) throws -> String {
        try String(contentsOfFile: "\(Rig.root)/docs/\(name)", encoding: .utf8)
    }

    @Test("docs/metrics.md says what the program says of its metrics")
    func theReferenceIsInStep() async throws {
        let printed = try await Rig.command(["list", "metrics", "--markdown"])
        let text = try document("metrics.md")
        let marker = "<!-- from here on: chaosrig list metrics --markdown -->\n\n"
        let start = try #require(text.range(of: marker)).upperBound
        #expect(text[start...] == printed.output, "write what the program prints below the marker")
    }

    /// Names of metrics in a text, with the series of histograms as the histograms that they are of.
    private func names(in text: String, _ histograms: [String]) -> Set<String> {
        let words = text.matches(of: /\b(?:chaosrig|process)_[a-z_]+/).map { String($0.output) }
        return Set(
            words.map { word in
                histograms.first { ["_bucket", "_sum", "_count"].map($0.appending).contains(word) } ?? word
            })
    }

    @Test(
        "Every metric in the rules, their test and the dashboard is one that the program serves",
        arguments: ["prometheus-alerts.yml", "prometheus-alerts-test.yml", "grafana-dashboard.json"])
    func namesExist(_ file: String) async throws {
        let metrics = try await metrics()
        let known = Set(metrics.map(\.name))
        let used = try names(in: document(file), metrics.filter { $0.kind == "histogram" }.map(\.name))
        #expect(used.count > 5)
        #expect(used.subtracting(known) == [])
    }

    @Test func labelsInTheDashboardExist() async throws {
        let known = try await metrics().reduce(into: Set(["instance", "le", "job"])) { $0.formUnion($1.labels) }
        let text = try document("grafana-dashboard.json")
        let shown = text.matches(of: /\{\{([a-z_]+)\}\}/).map { String($0.1) }
        let grouped = text.matches(of: /by \(([a-z_, ]+)\)/).flatMap { $0.1.split(separator: ", ").map(String.init) }
        let chosen = text.matches(of: /[{,]([a-z_]+)=~?\\"/).map { String($0.1) }
        #expect(!shown.isEmpty && !grouped.isEmpty && !chosen.isEmpty)
        #expect(Set(shown + grouped + chosen).subtracting(known) == [])
    }

    /// Each panel has a place of its own, a query and a title.
    @Test func dashboardIsWhole() throws {
        let dashboard = try JSONValue(parsing: try document("grafana-dashboard.json"))
        let panels = try #require(dashboard["panels"]?.arrayValue)
        #expect(Set(panels.compactMap { $0["id"]?.intValue }).count == panels.count)
        var places: Set<String> = []
        for panel in panels {
            #expect(panel["title"]?.stringValue?.isEmpty == false)
            let place = try #require(panel["gridPos"])
            let (x, y) = (place["x"]?.intValue ?? 0, place["y"]?.intValue ?? 0)
            for column in x..<x + (place["w"]?.intValue ?? 0) {
                for line in y..<y + (place["h"]?.intValue ?? 0) {
                    #expect(column < 24 && places.insert("\(column) \(line)").inserted, "\(panel["title"] ?? .null)")
                }
            }
            if panel["type"] != "row" { #expect(panel["targets"]?.arrayValue?.isEmpty == false) }
        }
    }

    /// The dashboard's queries in the language of Prometheus, with what Grafana puts in.
    @Test func promtoolUnderstandsTheDashboard() async throws {
        let text = try document("grafana-dashboard.json")
        let dashboard = try JSONValue(parsing: text)
        let targets = (dashboard["panels"]?.arrayValue ?? []).flatMap { $0["targets"]?.arrayValue ?? [] }
        let queries = targets.compactMap { $0["expr"]?.stringValue }
        #expect(queries.count > 20)
        let folder = try TemporaryFolder()
        let rules = queries.enumerated().map { number, query in
            let plain = query.replacing("$__rate_interval", with: "1m").replacing("$instance", with: ".*")
            return "      - {record: 'panel:\(number)', expr: '\(plain)'}\n"
        }
        let file = folder.file("rules.yml")
        try SmallFile.write(Array(("groups:\n  - name: dashboard\n    rules:\n" + rules.joined()).utf8), to: file)
        try await promtool(["check", "rules", file])
    }

    @Test func promtoolAcceptsTheRulesAndTheirTestPasses() async throws {
        try await promtool(["check", "rules", "docs/prometheus-alerts.yml"])
        try await promtool(["test", "rules", "docs/prometheus-alerts-test.yml"])
    }

    /// Each alert has a test in which it fires.
    @Test func everyAlertIsTested() throws {
        let alerts = try document("prometheus-alerts.yml").matches(of: /- alert: (\w+)/).map { String($0.1) }
        let test = try document("prometheus-alerts-test.yml")
        let fired = test.matches(of: /alertname: (\w+)\n\s+exp_alerts:/).map { String($0.1) }
        #expect(alerts.count > 5)
        #expect(Set(alerts) == Set(fired))
    }

    private func promtool(_ arguments: [String]) async throws {
        let program = try #require(findProgram("promtool"), "scripts/install-missing metrics installs it")
        let result = try await runProgram(path: program, arguments: arguments, workingDirectory: Rig.root)
        #expect(result.succeeded, "\(result.standardOutput)\(result.standardError)")
    }
}
