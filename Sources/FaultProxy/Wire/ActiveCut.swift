import Synchronization

/// A cut point of a proxy. The record is shared by all connections.
package struct ActiveCut: Sendable {
    /// Unique in its proxy.
    package let name: String
    package let rule: CutRule
    package let record: CutRecord

    package init(name: String, rule: CutRule, record: CutRecord) {
        self.name = name
        self.rule = rule
        self.record = record
    }
}

/// How often a cut point was met. Thread-safe.
package final class CutRecord: Sendable {
    private let matchCount = Atomic<Int>(0)
    private let hitCount = Atomic<Int>(0)

    package init() {}

    /// A message has matched.
    ///
    /// - Returns: how many have now, this one included, over all connections.
    package func noteMatch() -> Int { matchCount.add(1, ordering: .acquiringAndReleasing).newValue }

    /// The action is taken, unless it was so often already.
    ///
    /// - Returns: `false` when it must not be taken any more.
    package func noteHit(atMost limit: Int? = nil) -> Bool {
        guard let limit else {
            hitCount.add(1, ordering: .acquiringAndReleasing)
            return true
        }
        var seen = hitCount.load(ordering: .acquiring)
        while seen < limit {
            let (exchanged, original) = hitCount.compareExchange(
                expected: seen, desired: seen + 1, ordering: .acquiringAndReleasing)
            if exchanged { return true }
            seen = original
        }
        return false
    }

    package var matches: Int { matchCount.load(ordering: .acquiring) }
    package var hits: Int { hitCount.load(ordering: .acquiring) }
}
