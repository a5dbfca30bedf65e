import RigModel

/// The highest samples of one number that the pool tells of itself. A mergeable fold in bounded memory: the limit may be told in
/// another part of the history, so the highest hundred are kept and judged at the end.
struct GaugePeaks: Sendable {
    struct Peak: Sendable, Comparable {
        var value: Int64
        var at: FaultTimeline.Moment

        /// Highest first, then the earliest.
        static func < (a: Peak, b: Peak) -> Bool { a.value != b.value ? a.value > b.value : a.at.index < b.at.index }
    }

    private var highest = Smallest<Peak>(limit: 100)

    /// - Parameter value: what to read from `pool/gauges`.
    mutating func observe(_ event: Event, _ value: (JSONValue) -> Int64?) {
        guard event.process == .pool, event.function == "gauges", let value = value(event.value) else { return }
        highest.add(Peak(value: value, at: event.moment))
    }

    mutating func merge(_ other: GaugePeaks) { highest.merge(other.highest) }

    /// Samples in all.
    var samples: Int { highest.total }
    /// `nil` when there was no sample.
    var peak: Int64? { highest.elements.first?.value }

    /// Samples above a limit, highest first, at most a hundred.
    func above(_ limit: Int64) -> [Peak] { highest.elements.filter { $0.value > limit } }
}
