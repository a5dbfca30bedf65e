package import RigModel

/// Which kinds of operations were tried, and how often each ended how. A run in which a kind never succeeded has tested
/// nothing of that kind. A mergeable fold; memory grows with the number of kinds.
package struct OperationKinds: Sendable, Equatable {
    package struct Counts: Sendable, Equatable {
        package var invoked = 0
        package var ok = 0
        package var fail = 0
        package var info = 0

        package init(invoked: Int = 0, ok: Int = 0, fail: Int = 0, info: Int = 0) {
            self.invoked = invoked
            self.ok = ok
            self.fail = fail
            self.info = info
        }
    }

    package private(set) var counts: [String: Counts] = [:]

    package init() {}

    package mutating func observe(_ event: Event) {
        guard case .worker = event.process else { return }
        switch event.kind {
        case .invoke: counts[event.function, default: Counts()].invoked += 1
        case .ok: counts[event.function, default: Counts()].ok += 1
        case .fail: counts[event.function, default: Counts()].fail += 1
        case .info: counts[event.function, default: Counts()].info += 1
        case .end: break
        }
    }

    package mutating func merge(_ other: OperationKinds) {
        counts.merge(other.counts) { mine, theirs in
            Counts(
                invoked: mine.invoked + theirs.invoked, ok: mine.ok + theirs.ok, fail: mine.fail + theirs.fail,
                info: mine.info + theirs.info)
        }
    }

    /// Kinds that were tried and never ended in `ok`, sorted.
    package var neverSucceeded: [String] {
        counts.filter { $0.value.ok == 0 }.keys.sorted()
    }

    /// Those of `configured` that were never even tried, in their order.
    package func neverTried(of configured: [String]) -> [String] {
        configured.filter { counts[$0] == nil }
    }
}
