package import RigModel

/// The open descriptors of the pool's process do not grow.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct FlatDescriptors: Checker {
    package static let shape = Shape(
        name: "flat-descriptors", summary: "the open descriptors of the pool's process do not grow",
        parameters: [
            Parameter("per-minute", .count, default: .count(15), summary: "growth that may be the run's own"),
            Parameter("floor", .count, default: .count(20), summary: "descriptors of growth that are never too much"),
            Parameter(
                "at-most", .count, default: .count(100),
                summary: "descriptors of steady growth that are too much, however slow"),
            Parameter(
                "at-least", .duration, default: .duration(.seconds(10)),
                summary: "for how long descriptors must be watched"),
        ])

    package static let explanation = Explanation(
        claims: """
            The open descriptors of the process that holds the pool do not grow beside those of its connections: not
            by more than `per-minute`, from the phase `steady` until the load ends, taken as the median slope over all
            pairs of samples; growth of less than `floor` in all is never too much, and steady growth of more than
            `at-most` always is, however slow.
            """,
        needs: """
            Samples over `at-least`, of a process that was not started anew since.
            """,
        cannotSee: """
            Whose descriptors they are, nor a leaked socket that still counts as one of the pool's connections
            (`zero-leaked-connections` does).
            """)

    private let rule: GrowthWatch.Rule
    private var watch = GrowthWatch()

    package static let isMeasurement = true

    package init(_ parameters: Parameters) {
        rule = GrowthWatch.Rule(
            shape: Self.shape, noun: "number of descriptors", words: Self.words,
            perSecond: Double(parameters.count("per-minute") ?? 15) / 60, floor: Int64(parameters.count("floor") ?? 20),
            atMost: Int64(parameters.count("at-most") ?? 100), perOperation: 0,
            atLeast: parameters.nanoseconds("at-least", default: .seconds(10)))
    }

    package mutating func observe(_ event: Event) {
        watch.observe(event) { value in
            value["descriptors"]?.intValue.map { $0 - (value["client_sockets"]?.intValue ?? 0) }
        }
    }

    package mutating func merge(_ other: FlatDescriptors) { watch.merge(other.watch) }
    package func finish() -> InvariantResult { watch.judge(rule) }

    @Sendable private static func words(_ number: Double) -> String {
        abs(number) < 10 && number != number.rounded() ? String((number * 100).rounded() / 100) : decimalWords(number)
    }
}
