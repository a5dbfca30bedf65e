/// The phases of a run, in order; the names of the history.
enum RunPhase: String, Sendable, CaseIterable {
    case warmUp = "warm-up"
    case steady
    case faults
    case settle
    case drain
    case end
}
