import Glibc
import RigModel

@testable import Reporting

/// Runs with numbers that are drawn, for the trend over them.
struct RunBuilder {
    private var generator: SeededGenerator
    private var count = 0
    enum Shape: CaseIterable, Sendable {
        /// Normal, on a logarithmic scale.
        case normal
        /// Never much less, sometimes much more: exponential.
        case skewed
        /// Laplace's distribution, on a logarithmic scale.
        case heavy
        /// Student's t with five degrees of freedom, on a logarithmic scale.
        case veryHeavy
    }

    /// The standard deviation of every number, as a share of it.
    var noise = 0.07
    var shape = Shape.normal

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    /// A number around its usual one.
    mutating func draw(_ usual: Double) -> Double {
        switch shape {
        case .normal: return usual * exp(noise * normal())
        case .skewed: return usual * (1 + noise * (exponential() - 1))
        case .heavy:
            let side = Bool.random(using: &generator) ? 1.0 : -1
            return usual * exp(side * noise * exponential() / 2.0.squareRoot())
        case .veryHeavy:
            let spread = ((0..<5).reduce(0.0) { sum, _ in sum + pow(normal(), 2) } / 5).squareRoot()
            return usual * exp(noise * 0.6.squareRoot() * normal() / spread)
        }
    }

    private mutating func exponential() -> Double {
        -log(Double.random(in: Double.leastNonzeroMagnitude..<1, using: &generator))
    }

    private mutating func normal() -> Double {
        (2 * exponential()).squareRoot() * cos(2 * .pi * Double.random(in: 0..<1, using: &generator))
    }

    mutating func drawEvenly(_ range: Range<Double>) -> Double { Double.random(in: range, using: &generator) }

    /// A run of `db-restart` with some twenty numbers; the next of its series.
    ///
    /// - Parameter slower: by how much the recovery takes longer.
    mutating func run(slower: Double = 1) -> FiledRun {
        count += 1
        var run = FiledRun.plain(number: count)
        run.recoveries = [
            FiledRun.Recovery(
                fault: "restart #0", firstOkSeconds: draw(0.5) * slower, fullPoolSeconds: draw(0.7) * slower,
                throughputSeconds: draw(0.9) * slower, p95Seconds: draw(2), lostOperations: Int(draw(200)))
        ]
        run.operations = ["append", "read", "transfer"].map { kind in
            FiledRun.Operation(
                kind: kind, ok: 1000, fail: Int(draw(30)), info: 0, p50: draw(20), p90: draw(200), p99: draw(1000),
                p999: draw(1500), max: draw(2000))
        }
        run.measures = [
            .init(name: "steady_ok_per_s", value: draw(400)), .init(name: "acquire_wait_p99_ms", value: draw(30)),
            .init(name: "peak_rss_bytes", value: draw(90e6)), .init(name: "peak_descriptors", value: draw(60)),
            .init(name: "peak_server_sessions", value: 16),
        ]
        return run
    }

    mutating func runs(_ count: Int) -> [FiledRun] { (0..<count).map { _ in run() } }
}

extension FiledRun {
    /// A run without a number in it.
    static func plain(number: Int) -> FiledRun {
        var origin = RunOrigin()
        origin.commit = "1a2b3c4d5e6f"
        origin.cores = 4
        origin.cpu = "Some CPU"
        origin.server = "PostgreSQL 15.20"
        return FiledRun(
            id: Int64(number), folder: "db-restart/\(number)", scenario: "db-restart", scenarioHash: "abc",
            scenarioText: "name: db-restart\n", seed: "\(number)", startedAt: "2026-11-21T10:00:\(10 + number % 50)Z",
            durationSeconds: 25, verdict: "valid", exitCode: 0, origin: origin,
            invariants: [.init(name: "recovery", verdict: "valid", findings: 0)], operations: [], recoveries: [],
            measures: [])
    }
}
