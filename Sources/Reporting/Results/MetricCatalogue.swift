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

    /// By the name that a run's measures have. Of a soak: medians over its windows, of their steady phases.
    private static let followed: [(key: String, metric: Metric)] = [
        ("window_p50_ms", measure("window.p50", "p50 of a window", .milliseconds, floor: 2, ratio: 1.25)),
        ("window_p99_ms", measure("window.p99", "p99 of a window", .milliseconds, floor: 5)),
        ("lost_per_1000_operations", measure("window.lost", "not ok of 1000 operations", .count, floor: 5)),
        ("window_rss_bytes", measure("window.memory", "memory of a window", .bytes, floor: 16e6, ratio: 1.25)),
        ("window_descriptors", measure("window.descriptors", "descriptors of a window", .count, floor: 8, ratio: 1.25)),
        (
            "window_server_sessions",
            measure("window.sessions", "server sessions of a window", .count, floor: 3, ratio: 1.25)
        ),
        (
            "steady_ok_per_s",
            Metric(
                name: "throughput.steady", title: "throughput in the steady phase", unit: .perSecond,
                direction: .lessIsWorse, floor: 5, ratio: 1.2)
        ),
        ("acquire_wait_p99_ms", measure("acquire.p99", "wait for a connection: p99", .milliseconds, floor: 20)),
        ("peak_rss_bytes", measure("memory.peak", "memory at its peak", .bytes, floor: 16e6, ratio: 1.25)),
        ("peak_descriptors", measure("descriptors.peak", "descriptors at their peak", .count, floor: 16, ratio: 1.25)),
        (
            "peak_server_sessions",
            measure("sessions.peak", "server sessions at their peak", .count, floor: 4, ratio: 1.25)
        ),
    ]

    private static func measure(
        _ name: String, _ title: String, _ unit: Metric.Unit, floor: Double, ratio: Double = 1.5
    ) -> Metric {
        Metric(name: name, title: title, unit: unit, direction: .moreIsWorse, floor: floor, ratio: ratio)
    }

    private static func measures(_ run: FiledRun) -> [(metric: Metric, value: Double)] {
        followed.compactMap { entry in run.measure(entry.key).map { (entry.metric, $0) } }
    }
}
