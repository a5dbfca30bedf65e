import RigModel

/// How long acquires took in each second of the run (that in which their operation ended), and the longest few of each. A
/// mergeable fold; about 0.9 kB for each second.
struct AcquireSeconds: Sendable {
    private var seconds: [Int64: LatencySketch] = [:]
    private var longest: [Int64: Smallest<Incident>] = [:]
    private static let few = 3

    mutating func observe(_ event: Event) {
        guard let took = event.completion?.acquireNanoseconds else { return }
        let second = event.time / 1_000_000_000
        seconds[second, default: LatencySketch()].add(nanoseconds: took)
        longest[second, default: Smallest(limit: Self.few)].add(Incident(event, weight: took, since: event.time - took))
    }

    mutating func merge(_ other: AcquireSeconds) {
        longest.merge(other.longest) { mine, theirs in
            var both = mine
            both.merge(theirs)
            return both
        }
        seconds.merge(other.seconds) { mine, theirs in
            var both = mine
            both.merge(theirs)
            return both
        }
    }

    /// All acquires of the seconds that lie as a whole in quiet time.
    ///
    /// - Parameter stalled: numbers of seconds that do not count, nor those right after them.
    func sum(in quiet: QuietTime, exceptAfter stalled: Set<Int64> = []) -> LatencySketch {
        sum(
            seconds.keys.filter {
                quiet.covers(from: $0 * 1_000_000_000, to: ($0 + 1) * 1_000_000_000) && !stalled.contains($0)
                    && !stalled.contains($0 - 1)
            })
    }

    /// The longest few of each second, longest first.
    var worst: [Incident] { longest.values.flatMap(\.elements).sorted() }

    /// All acquires of the seconds between two times, both included.
    func sum(from: Int64, to: Int64) -> LatencySketch {
        sum(Array(from / 1_000_000_000...max(from, to) / 1_000_000_000))
    }

    private func sum(_ numbers: [Int64]) -> LatencySketch {
        numbers.reduce(into: LatencySketch()) { sum, number in
            if let sketch = seconds[number] { sum.merge(sketch) }
        }
    }
}
