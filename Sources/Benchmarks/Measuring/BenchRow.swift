package import RigModel

/// One line of results, with the keys of the peers' harness.
package struct BenchRow: Sendable, Equatable {
    package var peer: String
    package var scenario: String
    package var operation: String
    package var workers: Int
    package var pool: Int
    /// Operations (or rows) per second; `nil` where nothing is counted.
    package var perSecond: Double?
    package var p50: Double?
    package var p99: Double?
    package var p999: Double?
    package var max: Double?
    package var errors: Int?
    /// Peak resident memory for ``PeerCall/Scenario/bulk`` and SQLite, resident memory now for idle connections.
    package var rssMB: Double?
    package var idleCPUPercent: Double?
    /// Further figures, by the names under which they are printed.
    package var extra: [JSONValue.Member] = []

    package init(peer: String, scenario: String, operation: String, workers: Int, pool: Int) {
        self.peer = peer
        self.scenario = scenario
        self.operation = operation
        self.workers = workers
        self.pool = pool
    }

    package init(peer: String, _ call: PeerCall) {
        self.init(
            peer: peer, scenario: call.scenario.rawValue, operation: call.operation, workers: call.workers,
            pool: call.pool)
    }

    /// - Returns: `nil` when the line is not a result of a harness.
    package init?(jsonLine: String) {
        guard let value = try? JSONValue(parsing: jsonLine), let peer = value["peer"]?.stringValue,
            let scenario = value["scen"]?.stringValue, let operation = value["op"]?.stringValue,
            let workers = value["workers"]?.intValue, let pool = value["pool"]?.intValue
        else { return nil }
        self.init(
            peer: peer, scenario: scenario, operation: operation, workers: Int(workers), pool: Int(pool))
        perSecond = value["ops_s"]?.doubleValue
        p50 = value["p50_us"]?.doubleValue
        p99 = value["p99_us"]?.doubleValue
        p999 = value["p999_us"]?.doubleValue
        max = value["max_us"]?.doubleValue
        errors = value["errors"]?.intValue.map { Int($0) }
        rssMB = value["rss_mb"]?.doubleValue
        idleCPUPercent = value["idle_cpu_pct"]?.doubleValue
        guard case .object(let members) = value else { return }
        extra = members.filter { !Self.keys.contains($0.key) }
    }

    /// As the harness writes it.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("peer", .string(peer)), .init("scen", .string(scenario)), .init("op", .string(operation)),
            .init("workers", JSONValue(workers)), .init("pool", JSONValue(pool)),
        ]
        func add(_ key: String, _ number: Double?, digits: Double) {
            if let number { members.append(.init(key, .double((number * digits).rounded() / digits))) }
        }
        add("ops_s", perSecond, digits: 1)
        add("p50_us", p50, digits: 1000)
        add("p99_us", p99, digits: 1000)
        add("p999_us", p999, digits: 1000)
        add("max_us", max, digits: 10)
        add("rss_mb", rssMB, digits: 10)
        add("idle_cpu_pct", idleCPUPercent, digits: 1000)
        if let errors { members.append(.init("errors", JSONValue(errors))) }
        return .object(members + extra)
    }

    /// One of ``extra`` as a number.
    package func number(_ name: String) -> Double? { extra.first { $0.key == name }?.value.doubleValue }

    private static let keys: Set<String> = [
        "peer", "scen", "op", "workers", "pool", "ops_s", "p50_us", "p99_us", "p999_us", "max_us", "errors", "rss_mb",
        "idle_cpu_pct",
    ]
}
