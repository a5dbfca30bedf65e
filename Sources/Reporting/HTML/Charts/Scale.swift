import Glibc

/// From values to the height of a plot. Pixels count down from the top, as in SVG.
struct Scale: Sendable {
    let ticks: [Double]
    let isLogarithmic: Bool
    /// In pixels.
    let height: Double
    private let low: Double
    private let high: Double
    /// Room above the highest tick, for the numbers of the faults; and below the lowest one, so that its line is not cut.
    private static let top = 15.0
    private static let bottom = 2.0

    init(linear ticks: [Double], height: Double) {
        (self.ticks, self.height, isLogarithmic) = (ticks, height, false)
        low = ticks.first ?? 0
        high = max(ticks.last ?? 1, low + 1e-9)
    }

    init(logarithmic ticks: [Double], height: Double) {
        (self.ticks, self.height, isLogarithmic) = (ticks, height, true)
        low = log2(ticks.first ?? 1)
        high = max(log2(ticks.last ?? 2), low + 1e-9)
    }

    /// Pixels from the top; values outside are put on the edge.
    func y(_ value: Double) -> Double {
        let position = isLogarithmic ? log2(max(value, 1)) : value
        let share = min(max((position - low) / (high - low), 0), 1)
        return Self.top + (1 - share) * (height - Self.top - Self.bottom)
    }
}
