import RigModel

/// What a pool is worth: the same look-ups with a connection for each, one shared connection, and pools of several sizes.
package struct PoolVersusNone: Sendable {
    private struct Way: Sendable {
        let name: String
        let job: BenchJob
    }

    private struct Panel: Sendable {
        let title: String
        let ways: [Way]
    }

    private let panels: [Panel]
    package let jobs: [BenchJob]
    private let workers: Int

    package init(workers: Int = 64, seconds: Double = 2) {
        self.workers = workers
        func call(_ scenario: PeerCall.Scenario, _ operation: String, _ pool: Int) -> BenchJob {
            BenchJob(.ours, PeerCall(scenario, operation, workers: workers, pool: pool, amount: seconds))
        }
        let sizes = [("one shared connection", 1), ("pool of 5", 5), ("pool of 25", 25)]
        panels = [
            Panel(
                title: "PostgreSQL",
                ways: [Way(name: "connect per query", job: call(.connect, "pk", 0))]
                    + sizes.map { Way(name: $0.0, job: call(.query, "pk", $0.1)) }
                    + [Way(name: "unlimited", job: call(.query, "pk", workers))]),
            Panel(
                title: "SQLite",
                ways: [Way(name: "connect per query", job: call(.sqlite, "read", -1))]
                    + sizes.map { Way(name: $0.0, job: call(.sqlite, "read", $0.1)) }
                    + [Way(name: "unlimited", job: call(.sqlite, "read", 0))]),
        ]
        jobs = panels.flatMap { $0.ways.map(\.job) }
    }

    /// The medians over the rounds.
    package func text(_ rounds: Rounds) -> String {
        panels.map { panel in
            var table = TextTable(
                header: [panel.title, "look-ups/s", "against connect per query", "p50", "p99", "p99.9"])
            for way in panel.ways {
                func figure(_ value: (BenchRow) -> Double?) -> String {
                    rounds.values(way.job, value).median().map { "\($0.short) µs" } ?? "-"
                }
                table.add([
                    way.name, rate(way, rounds)?.short ?? "-",
                    factor(way, in: panel, rounds).map { "\($0.short)×" } ?? "-",
                    figure(\.p50), figure(\.p99), figure(\.p999),
                ])
            }
            return table.text
        }.joined(separator: "\n\n")
    }

    /// The same as a bar chart.
    ///
    /// - Parameter footnote: machine and versions.
    package func svg(_ rounds: Rounds, footnote: String) -> String {
        BarChart(
            title: "Look-ups by key per second, \(workers) workers",
            subtitle: "Median of \(rounds.results.count) rounds; longer is better; each panel has its own scale",
            panels: panels.map { panel in
                BarChart.Panel(
                    title: panel.title,
                    bars: panel.ways.map { way in
                        let value = rate(way, rounds) ?? 0
                        let factor = factor(way, in: panel, rounds)
                        return BarChart.Bar(
                            name: way.name, value: value,
                            label: "\(value.short)/s" + (factor.map { $0 == 1 ? "" : "  (\($0.short)×)" } ?? ""))
                    })
            }, footnote: footnote
        ).svg
    }

    private func rate(_ way: Way, _ rounds: Rounds) -> Double? { rounds.values(way.job, \.perSecond).median() }

    private func factor(_ way: Way, in panel: Panel, _ rounds: Rounds) -> Double? {
        rounds.ratios(way.job, to: panel.ways[0].job, \.perSecond).median()
    }
}
