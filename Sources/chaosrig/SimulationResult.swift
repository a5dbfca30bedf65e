import PoolSimulator
import RigModel

/// What `chaosrig simulate` found, ready to be printed.
struct SimulationResult {
    private let exploration: Exploration
    private let report: ExplorationReport
    private let shortest: (life: SimulatedLife, failure: SimulationFailure)?

    init(_ exploration: Exploration, _ report: ExplorationReport) {
        self.exploration = exploration
        self.report = report
        shortest = report.failure?.life.shrunk()
    }

    private var missing: [String] { report.coverage.missing }

    var verdict: Verdict { report.failure != nil ? .invalid : missing.isEmpty ? .valid : .unknown }

    /// As in design.md §5.
    var exitCode: Int32 {
        switch verdict {
        case .valid: 0
        case .invalid: 1
        case .unknown: 4
        }
    }

    private var stepsPerSecond: Double { report.seconds > 0 ? Double(report.steps) / report.seconds : 0 }

    private var digest: String {
        let text = String(report.digest, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    var text: String {
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

    var json: JSONValue {
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
        LifePrinter(shortest.life, title: "Seed \(seed): \(shortest.failure.message)", name: "simulatedSeed\(seed)")
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
        let cells = rows.map {
            "\($0.name.padding(to: 18))\(String(repeating: " ", count: max(1, 12 - "\($0.count)".count)))\($0.count)"
        }
        return stride(from: 0, to: cells.count, by: 3)
            .map { "  " + cells[$0..<min($0 + 3, cells.count)].joined(separator: "   ") }.joined(separator: "\n")
    }

    private func rounded(_ value: Double, _ parts: Double) -> Double { (value * parts).rounded() / parts }
}
