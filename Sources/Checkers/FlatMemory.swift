package import RigModel

/// The memory of the pool's process does not grow.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct FlatMemory: Checker {
    package static let shape = Shape(
        name: "flat-memory", summary: "the memory of the pool's process does not grow",
        parameters: [
            Parameter(
                "per-second", .dataRate, default: .dataRate(bytesPerSecond: 1_000_000),
                summary: "growth that may be the run's own"),
            Parameter("floor", .count, default: .count(16), summary: "megabytes of growth that are never too much"),
            Parameter(
                "at-most", .count, default: .count(160),
                summary: "megabytes of steady growth that are too much, however slow"),
            Parameter(
                "at-least", .duration, default: .duration(.seconds(10)), summary: "for how long memory must be watched"),
        ])

    package static let explanation = Explanation(
        claims: """
            The memory of the process that holds the pool does not grow: not by more than `per-second`, from the phase
            `steady` until the load ends, taken as the median slope over all pairs of samples; growth of less than
            `floor` in all is never too much, and steady growth of more than `at-most` always is, however slow: with
            100 bytes more for each operation, since the rig may live in the same process and keeps so much of each.
            """,
        needs: """
            Samples over `at-least`, of a process that was not started anew since.
            """,
        cannotSee: """
            Memory that is freed in the program and not given back to the system (that counts as used), a leak so slow
            that the run is too short for it, nor whose memory it is: where pool and rig share a process it is both.
            """)

    private let rule: GrowthWatch.Rule
    private var watch = GrowthWatch()

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        rule = GrowthWatch.Rule(
            shape: Self.shape, noun: "memory", words: Self.words,
            perSecond: parameters.dataRate("per-second") ?? 1_000_000,
            floor: Int64(min(parameters.count("floor") ?? 16, 1 << 30)) * 1_000_000,
            atMost: Int64(min(parameters.count("at-most") ?? 160, 1 << 30)) * 1_000_000, perOperation: 100,
            atLeast: parameters.nanoseconds("at-least", default: .seconds(10)))
    }

    package mutating func observe(_ event: Event) { watch.observe(event) { $0["rss_bytes"]?.intValue } }
    package mutating func merge(_ other: FlatMemory) { watch.merge(other.watch) }
    package func finish() -> InvariantResult { watch.judge(rule) }

    @Sendable private static func words(_ bytes: Double) -> String {
        switch abs(bytes) {
        case ..<1e3: "\(decimalWords(bytes)) B"
        case ..<1e6: "\(decimalWords(bytes / 1e3)) KB"
        default: "\(decimalWords(bytes / 1e6)) MB"
        }
    }
}
