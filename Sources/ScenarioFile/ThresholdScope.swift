import RigModel

/// What of all that thresholds may name happens in a scenario.
struct ThresholdScope {
    var operations: [String]
    var faults: [String]
    /// Those that last some time.
    var phases: [String]
    private let workload: Scenario.Workload
    private let lengths: [String: Duration]

    init(_ workload: Scenario.Workload, _ faults: [Scenario.FaultEntry], _ phases: Scenario.Phases) {
        operations = workload.mix.filter { $0.weight > 0 }.map(\.kind)
        self.faults = Array(Set(faults.map(\.kind))).sorted()
        let lasting = [
            ("warm-up", phases.warmUp), ("steady", phases.steady), ("faults", phases.faults), ("settle", phases.settle),
        ].filter { $0.1 > .zero }
        self.phases = lasting.map(\.0)
        lengths = Dictionary(lasting, uniquingKeysWith: { $1 })
        self.workload = workload
    }

    /// Operations are counted in fifths of a second: no place is shorter.
    private static let shortest = 0.2

    /// How many operations a second can succeed there at the most; `nil`: nobody knows, the load has no rate. What was due before and
    /// had to wait, for `max-lag` at the longest, may come there all at once.
    func mostPerSecond(in scope: Threshold.Scope) -> Double? {
        guard let rate = workload.rate else { return nil }
        let seconds: Double
        var early = Self.seconds(workload.maxLag)
        switch scope {
        case .wholeRun: (seconds, early) = (Self.seconds(lengths.values.reduce(.zero, +)), 0)
        case .phase(let name): seconds = Self.seconds(lengths[name] ?? .zero)
        case .fault, .outsideFaults: seconds = 0
        }
        let length = max(seconds, Self.shortest)
        let due = rate * Double(max(1, workload.behaviour.burstFactor)) * (length + early)
        let probes = workload.behaviour.probe.map { length / Self.seconds($0.every) + 1 } ?? 0
        return (due + probes + 1) / length
    }

    private static func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }
}
