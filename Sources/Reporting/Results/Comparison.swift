/// Two runs beside each other. Pure.
package struct Comparison: Sendable {
    package struct Change: Sendable, Equatable {
        package var name: String
        package var a: String
        package var b: String
    }

    package struct Number: Sendable {
        package var metric: Metric
        package var a: Double?
        package var b: Double?

        /// By more than the metric's floor and ratio; of two runs alone nobody can say whether that is chance.
        package enum Answer: String, Sendable { case same, worse, better, onlyA = "only-a", onlyB = "only-b" }

        /// B over A; `nil` where there is none.
        package var ratio: Double? {
            guard let a, let b, a > 0 else { return nil }
            return b / a
        }

        package var answer: Answer {
            guard let a else { return .onlyB }
            guard let b else { return .onlyA }
            switch metric.worth(of: a, b) {
            case .worse: return .worse
            case .better: return .better
            case nil: return .same
            }
        }
    }

    package let a: FiledRun
    package let b: FiledRun
    /// Why the numbers are hardly comparable; empty where they are.
    package let warnings: [String]
    /// What else differs: commit, kernel, version, seed.
    package let differences: [Change]
    /// Verdict and invariants that came out otherwise, or are in one run only.
    package let verdicts: [Change]
    package let numbers: [Number]
    /// Lines of the resolved scenario that are in one run only, with `-` (in A) or `+` (in B) before them.
    package let scenarioChanges: [String]

    package init(_ a: FiledRun, _ b: FiledRun) {
        self.a = a
        self.b = b
        var warnings: [String] = []
        if a.scenario != b.scenario {
            warnings.append("two scenarios: \(a.scenario) and \(b.scenario)")
        } else if a.scenarioHash != b.scenarioHash {
            warnings.append("the scenario was changed between the runs")
        }
        if a.origin.machineWords != b.origin.machineWords {
            warnings.append("two machines or servers: \(a.origin.machineWords); and \(b.origin.machineWords)")
        }
        for (name, run) in [("A", a), ("B", b)] where run.wasInterrupted {
            warnings.append("run \(name) was interrupted")
        }
        if let one = a.measure(FiledRun.runnableThreads), let other = b.measure(FiledRun.runnableThreads),
            abs(one - other) > Double(min(a.origin.cores ?? 1, b.origin.cores ?? 1))
        {
            let words =
                "\(Numbers.plain(max(one, other))) threads wanted a processor, \(Numbers.plain(min(one, other))) in the other"
            warnings.append("the machine was busier in run \(one > other ? "A" : "B"): \(words)")
        }
        self.warnings = warnings
        differences = Self.differences(a, b)
        verdicts = Self.verdicts(a, b)
        numbers = Self.numbers(a, b)
        scenarioChanges = a.scenarioHash == b.scenarioHash ? [] : Self.changes(a.scenarioText, b.scenarioText)
    }

    private static func differences(_ a: FiledRun, _ b: FiledRun) -> [Change] {
        let rows: [(String, String?, String?)] = [
            ("commit", a.origin.shortCommit, b.origin.shortCommit), ("seed", a.seed, b.seed),
            ("host", a.origin.host, b.origin.host), ("kernel", a.origin.kernel, b.origin.kernel),
            ("server", a.origin.server, b.origin.server), ("chaosrig", a.origin.rig, b.origin.rig),
            ("build", a.origin.build, b.origin.build),
        ]
        return rows.filter { $0.1 != $0.2 }.map { Change(name: $0.0, a: $0.1 ?? "unknown", b: $0.2 ?? "unknown") }
    }

    private static func verdicts(_ a: FiledRun, _ b: FiledRun) -> [Change] {
        var changes: [Change] = []
        if a.verdict != b.verdict { changes.append(Change(name: "run", a: a.verdict, b: b.verdict)) }
        let names =
            a.invariants.map(\.name)
            + b.invariants.map(\.name).filter { name in
                !a.invariants.contains { $0.name == name }
            }
        for name in names {
            let one = a.invariants.first { $0.name == name }?.verdict
            let other = b.invariants.first { $0.name == name }?.verdict
            if one != other { changes.append(Change(name: name, a: one ?? "not asked", b: other ?? "not asked")) }
        }
        return changes
    }

    private static func numbers(_ a: FiledRun, _ b: FiledRun) -> [Number] {
        let one = MetricCatalogue.values(of: a)
        let other = MetricCatalogue.values(of: b)
        let metrics = one.map(\.metric) + other.map(\.metric).filter { metric in !one.contains { $0.metric == metric } }
        return metrics.map { metric in
            Number(
                metric: metric, a: one.first { $0.metric == metric }?.value,
                b: other.first { $0.metric == metric }?.value)
        }
    }

    /// In the order of the texts. A scenario is some fifty lines, most of them unique.
    private static func changes(_ a: String, _ b: String) -> [String] {
        let one = a.split(separator: "\n").map(String.init)
        let other = b.split(separator: "\n").map(String.init)
        return other.difference(from: one).sorted { $0.place < $1.place }.map { change in
            switch change {
            case .remove(_, let line, _): "- \(line)"
            case .insert(_, let line, _): "+ \(line)"
            }
        }
    }
}

extension CollectionDifference<String>.Change {
    /// Removals before insertions at the same line.
    fileprivate var place: (Int, Int) {
        switch self {
        case .remove(let offset, _, _): (offset, 0)
        case .insert(let offset, _, _): (offset, 1)
        }
    }
}
