package import RigModel
package import Threading

/// Holds every chunk for `latency`, plus or minus up to `jitter`, evenly distributed; never less than nothing.
///
/// A round trip passes two directions, so it takes twice the latency longer. Because chunks never overtake each other,
/// a chunk behind one with a long hold waits for it: under jitter the mean hold of dense traffic lies above `latency`.
package struct OldLatencyToxic: HoldingToxic, Equatable {
    package var latency: Duration
    package var jitter: Duration

    package init(latency: Duration, jitter: Duration = .zero) {
        self.latency = latency
        self.jitter = jitter
    }

    package mutating func releaseTime(
        ofChunkWith byteCount: Int, arrivingAt arrival: MonotonicInstant, using generator: inout SeededGenerator
    ) -> MonotonicInstant {
        guard jitter > .zero else { return arrival.advanced(by: max(latency, .zero)) }
        let offset = (generator.nextUnit() * 2 - 1) * Double(jitter.nanoseconds)
        return arrival.advanced(by: max(latency + .nanoseconds(Int64(offset)), .zero))
    }
}
