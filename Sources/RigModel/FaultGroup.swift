/// Faults that share one schedule, which stands in each of them.
public enum FaultGroup: Sendable, Equatable {
    /// At each time one of the group is injected, drawn by weight.
    case random(number: Int, weight: Double)
    /// At each time all of the group are injected, each when the one before it is healed and the gap has passed.
    case sequence(number: Int, gap: Duration)

    /// The same for all of a group, and for no other.
    public var number: Int {
        switch self {
        case .random(let number, _), .sequence(let number, _): number
        }
    }
}
