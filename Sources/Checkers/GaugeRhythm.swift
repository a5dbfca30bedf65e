/// The rig looks at the pool's gauges every 50 ms. Where it came to it much later, nobody knows what the pool was like meanwhile:
/// that time counts for nothing.
enum GaugeRhythm {
    /// Of the time between two neighbouring samples so much counts as seen.
    static let longestStep: Int64 = 500_000_000

    /// How much of the time between two neighbouring samples was not seen.
    static func unseen(from: Int64, to: Int64) -> Int64 { max(0, to - from - longestStep) }
}
