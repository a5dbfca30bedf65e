/// A number of a run that is followed over runs.
package struct Metric: Sendable, Equatable, Hashable {
    package enum Unit: String, Sendable {
        case seconds = "s"
        case milliseconds = "ms"
        case operations = "ops"
        case perSecond = "per_s"
        case share
        case bytes
        case count
    }

    package enum Direction: String, Sendable {
        case moreIsWorse = "more-is-worse"
        case lessIsWorse = "less-is-worse"
    }

    /// For machines: `recovery.restart.first_ok`.
    package var name: String
    /// For people: `restart: first success`.
    package var title: String
    package var unit: Unit
    package var direction: Direction
    /// A change by less is never drift: what the rig itself cannot resolve, and what nobody would act on.
    package var floor: Double
    /// A change by a smaller ratio is never drift.
    package var ratio: Double
    /// Below it what disturbs the number adds to it, as the random pauses between two connects; above it multiplies it.
    package var linearBelow: Double

    /// - Parameter linearBelow: the floor when `nil`.
    init(
        name: String, title: String, unit: Unit, direction: Direction, floor: Double, ratio: Double,
        linearBelow: Double? = nil
    ) {
        self.name = name
        self.title = title
        self.unit = unit
        self.direction = direction
        self.floor = floor
        self.ratio = ratio
        self.linearBelow = linearBelow ?? floor
    }

    package enum Worth: Sendable { case worse, better }

    /// Whether anybody would act on the change; `nil` when not.
    package func worth(of usual: Double, _ value: Double) -> Worth? {
        let high = max(usual, value)
        let low = min(usual, value)
        guard high - low >= floor, high >= low * ratio else { return nil }
        return (value > usual) == (direction == .moreIsWorse) ? .worse : .better
    }

    /// The number as a person writes it.
    package func words(_ value: Double) -> String {
        switch unit {
        case .seconds: Numbers.seconds(value)
        case .milliseconds: Numbers.seconds(value / 1e3)
        case .operations, .count: Numbers.plain(value)
        case .perSecond: "\(Numbers.plain(value))/s"
        case .share: "\(Numbers.plain(value * 100)) %"
        case .bytes: "\(Numbers.plain(value / 1e6)) MB"
        }
    }
}

/// Which numbers of a run are followed, and from where on a change of each matters.
enum MetricCatalogue {
    /// Every number of a run, most important first.
    static func values(of run: FiledRun) -> [(metric: Metric, value: Double)] {
        recovery(run) + operations(run) + measures(run)
    }

    /// Per kind of fault the worst of the run: a kind may be injected often, and the slowest return is what hurts.
    private static func recovery(_ run: FiledRun) -> [(metric: Metric, value: Double)] {
        var kinds: [String] = []
        for record in run.recoveries where !kinds.contains(record.kind) { kinds.append(record.kind) }
        return kinds.flatMap { kind in
            let records = run.recoveries.filter { $0.kind == kind }
            func worst(
                _ name: String, _ title: String, _ unit: Metric.Unit, floor: Double,
                _ value: (FiledRun.Recovery) -> Double?
            ) -> (metric: Metric, value: Double)? {
                // One injection that could not be measured says nothing about the others.
                records.compactMap(value).max().map {
                    let metric = Metric(
                        name: "recovery.\(kind).\(name)", title: "\(kind): \(title)", unit: unit,
                        direction: .moreIsWorse, floor: floor, ratio: 1.5, linearBelow: unit == .seconds ? 2 : nil)
                    return (metric, $0)
                }
            }
            // The gauges are read every 50 ms, and throughput is counted in steps of 100 ms.
            return [
                worst("first_ok", "first success", .seconds, floor: 0.05) { $0.firstOkSeconds },
                worst("full_pool", "full pool", .seconds, floor: 0.1) { $0.fullPoolSeconds },
                worst("throughput", "throughput back", .seconds, floor: 0.2) { $0.throughputSeconds },
                worst("p95", "95th percentile back", .seconds, floor: 0.2) { $0.p95Seconds },
                worst("lost", "operations lost", .operations, floor: 20) { $0.lostOperations.map(Double.init) },
            ].compactMap { $0 }
        }
    }

    private static func operations(_ run: FiledRun) -> [(metric: Metric, value: Double)] {
        run.operations.flatMap { operation in
            func latency(_ name: String, floor: Double, ratio: Double, _ value: Double?) -> (
                metric: Metric, value: Double
            )? {
                value.map {
                    let metric = Metric(
                        name: "latency.\(operation.kind).\(name)", title: "\(operation.kind): \(name)",
                        unit: .milliseconds, direction: .moreIsWorse, floor: floor, ratio: ratio)
                    return (metric, $0)
                }
            }
            let all = operation.ok + operation.fail + operation.info
            let failed = Metric(
                name: "failed.\(operation.kind)", title: "\(operation.kind): share not ok", unit: .share,
                direction: .moreIsWorse, floor: 0.01, ratio: 1.5)
            return [
                latency("p50", floor: 2, ratio: 1.25, operation.p50),
                latency("p99", floor: 20, ratio: 1.5, operation.p99),
                all > 0 ? (failed, Double(operation.fail + operation.info) / Double(all)) : nil,
            ].compactMap { $0 }
        }
    }

    /// Of a soak: medians over its windows, of their steady phases.
    private static let soak: [(key: String, metric: Metric)] = [
        (
            "window_p50_ms",
            Metric(
                name: "window.p50", title: "p50 of a window", unit: .milliseconds, direction: .moreIsWorse, floor: 2,
                ratio: 1.25)
        ),
        (
            "window_p99_ms",
            Metric(
                name: "window.p99", title: "p99 of a window", unit: .milliseconds, direction: .moreIsWorse, floor: 5,
                ratio: 1.5)
        ),
        (
            "lost_per_1000_operations",
            Metric(
                name: "window.lost", title: "not ok of 1000 operations", unit: .count, direction: .moreIsWorse,
                floor: 5, ratio: 1.5)
        ),
        (
            "window_rss_bytes",
            Metric(
                name: "window.memory", title: "memory of a window", unit: .bytes, direction: .moreIsWorse, floor: 16e6,
                ratio: 1.25)
        ),
        (
            "window_descriptors",
            Metric(
                name: "window.descriptors", title: "descriptors of a window", unit: .count, direction: .moreIsWorse,
                floor: 8, ratio: 1.25)
        ),
        (
            "window_server_sessions",
            Metric(
                name: "window.sessions", title: "server sessions of a window", unit: .count, direction: .moreIsWorse,
                floor: 3, ratio: 1.25)
        ),
    ]

    private static func measures(_ run: FiledRun) -> [(metric: Metric, value: Double)] {
        let followed: [(key: String, metric: Metric)] =
            soak + [
                (
                    "steady_ok_per_s",
                    Metric(
                        name: "throughput.steady", title: "throughput in the steady phase", unit: .perSecond,
                        direction: .lessIsWorse, floor: 5, ratio: 1.2)
                ),
                (
                    "acquire_wait_p99_ms",
                    Metric(
                        name: "acquire.p99", title: "wait for a connection: p99", unit: .milliseconds,
                        direction: .moreIsWorse, floor: 20, ratio: 1.5)
                ),
                (
                    "peak_rss_bytes",
                    Metric(
                        name: "memory.peak", title: "memory at its peak", unit: .bytes, direction: .moreIsWorse,
                        floor: 16e6, ratio: 1.25)
                ),
                (
                    "peak_descriptors",
                    Metric(
                        name: "descriptors.peak", title: "descriptors at their peak", unit: .count,
                        direction: .moreIsWorse, floor: 16, ratio: 1.25)
                ),
                (
                    "peak_server_sessions",
                    Metric(
                        name: "sessions.peak", title: "server sessions at their peak", unit: .count,
                        direction: .moreIsWorse, floor: 4, ratio: 1.25)
                ),
            ]
        return followed.compactMap { entry in run.measure(entry.key).map { (entry.metric, $0) } }
    }
}
