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
