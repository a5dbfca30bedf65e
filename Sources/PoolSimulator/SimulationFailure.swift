package import Threading

/// The first thing that did not hold in a life.
package struct SimulationFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What was expected and what was seen.
    package let message: String
    /// Transitions of the machine before it.
    package let transition: Int
    /// The simulated time at which it was seen; lives begin at one second.
    package let now: MonotonicInstant

    package var description: String {
        "\(message) (after \(transition) transitions, at \(Double(now.nanoseconds / 1000) / 1000) ms)"
    }
}
