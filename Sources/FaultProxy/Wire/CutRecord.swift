import Synchronization

/// How often a cut point was met. Thread-safe.
package final class CutRecord: Sendable {
    private let matchCount = Atomic<Int>(0)
    /// Hits, and claims that are not decided.
    private let takenCount = Atomic<Int>(0)
    private let hitCount = Atomic<Int>(0)
    /// Claims that were given back, and whose turn no other match has had.
    private let openTurns = Atomic<Int>(0)

    package init() {}

    /// A message has matched.
    ///
    /// - Returns: how many have now, this one included, over all connections.
    package func noteMatch() -> Int { matchCount.add(1, ordering: .acquiringAndReleasing).newValue }

    /// The action is taken, unless it was so often already.
    ///
    /// - Returns: `false` when it must not be taken any more.
    package func noteHit(atMost limit: Int? = nil) -> Bool {
        guard take(atMost: limit) else { return false }
        hitCount.add(1, ordering: .acquiringAndReleasing)
        return true
    }

    /// The action is begun, and somebody else decides whether it becomes a hit.
    ///
    /// - Returns: `nil` when it must not be taken any more.
    func claim(_ name: String, atMost limit: Int?) -> HitClaim? {
        take(atMost: limit) ? HitClaim(name, of: self) : nil
    }

    private func take(atMost limit: Int?) -> Bool {
        guard let limit else {
            takenCount.add(1, ordering: .acquiringAndReleasing)
            return true
        }
        var seen = takenCount.load(ordering: .acquiring)
        while seen < limit {
            let (exchanged, original) = takenCount.compareExchange(
                expected: seen, desired: seen + 1, ordering: .acquiringAndReleasing)
            if exchanged { return true }
            seen = original
        }
        return false
    }

    fileprivate func noteClaimedHit() { hitCount.add(1, ordering: .acquiringAndReleasing) }

    fileprivate func giveBack() {
        takenCount.subtract(1, ordering: .acquiringAndReleasing)
        openTurns.add(1, ordering: .acquiringAndReleasing)
    }

    /// A match has the turn of one whose claim was given back: for rules that pick one match only.
    ///
    /// - Returns: `false` when there is none.
    func takeOpenTurn() -> Bool {
        var seen = openTurns.load(ordering: .acquiring)
        while seen > 0 {
            let (exchanged, original) = openTurns.compareExchange(
                expected: seen, desired: seen - 1, ordering: .acquiringAndReleasing)
            if exchanged { return true }
            seen = original
        }
        return false
    }

    package var matches: Int { matchCount.load(ordering: .acquiring) }
    package var hits: Int { hitCount.load(ordering: .acquiring) }
}

/// A hit that counts only when the server has done what it was told. Thread-safe.
///
/// Whoever lets go of it without a word (the server failed with something else, the connection has ended) gives it back, so
/// that `times` is not used up by what no client has seen.
final class HitClaim: Sendable {
    let cut: String
    private let record: CutRecord
    private let isHit = Atomic<Bool>(false)

    fileprivate init(_ cut: String, of record: CutRecord) {
        self.cut = cut
        self.record = record
    }

    deinit { if !isHit.load(ordering: .acquiring) { record.giveBack() } }

    /// To be called once.
    func becomeHit() {
        isHit.store(true, ordering: .releasing)
        record.noteClaimedHit()
    }
}
