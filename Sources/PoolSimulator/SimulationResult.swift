package import RigModel

/// What an exploration found, ready to be printed.
package struct SimulationResult {
    private let exploration: Exploration
    private let report: ExplorationReport
    private let machine: String?
    private let shortest: (life: SimulatedLife, failure: SimulationFailure)?

    /// Shrinks the life that broke something, where there is one.
    ///
    /// - Parameter machine: the expression that makes the machine, for the printed test.
    package init<Machine: SimulatedMachine>(
        _ exploration: Exploration, _ report: ExplorationReport, on make: @escaping MachineMaker<Machine>,
        machine: String
    ) {
        self.exploration = exploration
        self.report = report
        self.machine = machine
        shortest = report.failure.flatMap { found in
            guard var shrinker = Shrinker(found.life, on: make) else { return nil }
            let life = shrinker.shrink()
            return (life, shrinker.failure)
        }
    }

    /// Of the real machine.
    package init(_ exploration: Exploration, _ report: ExplorationReport) {
        self.exploration = exploration
        self.report = report
        machine = nil
        shortest = report.failure?.life.shrunk()
    }

    private var missing: [String] { report.coverage.missing }

    /// Unknown when something that can happen never did.
    package var verdict: Verdict { report.failure != nil ? .invalid : missing.isEmpty ? .valid : .unknown }

    private var stepsPerSecond: Double { report.seconds > 0 ? Double(report.steps) / report.seconds : 0 }

    private var digest: String {
        let text = String(report.digest, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    /// For people.
    package var text: String {
        var lines = [coverageTable, ""]
        lines.append(
            "\(report.seeds) lives from seed \(report.firstSeed), \(report.steps) steps, \(report.transitions) transitions "
                + "in \(rounded(report.seconds, 100)) s on \(report.threads) threads: "
                + "\(rounded(stepsPerSecond / 1e6, 100)) million steps/s")
        lines.append("digest \(digest)")
        if let found = report.failure {
            lines.append("")
            lines.append("✗ INVALID seed \(found.seed), event \(found.life.events.count): \(found.failure)")
            lines.append("  replay: chaosrig simulate --seed \(found.seed) --seeds 1 --steps \(exploration.steps)")
            if let shortest {
                lines.append("  shortest: \(shortest.life.events.count) events: \(shortest.failure)")
                lines.append("  as a test, for Tests/ConnectionPoolTests:\n")
                lines.append(testFile(found.seed, shortest))
            }
        } else if missing.isEmpty {
            lines.append("✓ VALID")
        } else {
            lines.append("? UNKNOWN: never happened: \(missing.joined(separator: ", ")). Try more --seeds or --steps.")
        }
        return lines.joined(separator: "\n")
    }

    /// For programs.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("verdict", .string(verdict.rawValue)), .init("first_seed", JSONValue(Int(report.firstSeed))),
            .init("seeds", JSONValue(report.seeds)), .init("steps", JSONValue(report.steps)),
            .init("transitions", JSONValue(report.transitions)), .init("seconds", .double(report.seconds)),
            .init("steps_per_second", .double(stepsPerSecond)), .init("threads", JSONValue(report.threads)),
            .init("digest", .string(digest)), .init("missing", .array(missing.map { .string($0) })),
            .init("events", .object(kinds.map { JSONValue.Member($0.name, JSONValue($0.count)) })),
            .init("outcomes", .object(outcomes.map { JSONValue.Member($0.name, JSONValue($0.count)) })),
        ]
        if let found = report.failure {
            members.append(
                .init(
                    "failure",
                    [
                        "seed": JSONValue(Int(found.seed)), "message": .string(found.failure.description),
                        "events": JSONValue(found.life.events.count),
                        "shortest_events": JSONValue(shortest?.life.events.count),
                        "test": JSONValue(shortest.map { testFile(found.seed, $0) }),
                    ]))
        }
        return .object(members)
    }

    private func testFile(_ seed: UInt64, _ shortest: (life: SimulatedLife, failure: SimulationFailure)) -> String {
        LifePrinter(
            shortest.life, title: "Seed \(seed): \(shortest.failure.message)", name: "simulatedSeed\(seed)",
            machine: machine
        )
        .file
    }

    // MARK: Coverage

    private var kinds: [(name: String, count: Int)] {
        SimulatedEvent.Kind.allCases.map { ("\($0)", report.coverage.count(of: $0)) }
    }

    private var outcomes: [(name: String, count: Int)] {
        SimulationCoverage.Outcome.allCases.map { ("\($0)", report.coverage.count(of: $0)) }
    }

    private var coverageTable: String {
        "Events\n\(columns(kinds))\nWhat came of them\n\(columns(outcomes))"
    }

    private func columns(_ rows: [(name: String, count: Int)]) -> String {
        let cells = rows.map { row in
            let count = String(row.count)
            return row.name + String(repeating: " ", count: max(1, Self.cellWidth - row.name.count - count.count))
                + count
        }
        return stride(from: 0, to: cells.count, by: 3)
            .map { "  " + cells[$0..<min($0 + 3, cells.count)].joined(separator: "    ") }.joined(separator: "\n")
    }

    /// Of a name with its count, in characters.
    private static let cellWidth = 28

    private func rounded(_ value: Double, _ parts: Double) -> Double { (value * parts).rounded() / parts }
}
