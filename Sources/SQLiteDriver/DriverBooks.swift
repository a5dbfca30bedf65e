import ConnectionPool
import Synchronization
import Threading

/// The uses of one connection's statement cache. Written by one thread at a time, read by any: a plain store each, on a
/// cache line of its own connection.
package final class CacheCounter: Sendable {
    private let hits = Atomic<Int>(0)
    private let misses = Atomic<Int>(0)

    func countHit() { hits.store(hits.load(ordering: .relaxed) + 1, ordering: .relaxed) }

    func countMiss() { misses.store(misses.load(ordering: .relaxed) + 1, ordering: .relaxed) }

    var counts: StatementCacheCounts {
        StatementCacheCounts(hits: hits.load(ordering: .relaxed), misses: misses.load(ordering: .relaxed))
    }
}

/// What a driver knows about all its connections, also about those that are closed. Thread-safe.
final class DriverBooks: Sendable {
    private struct State {
        var leaked: [String] = []
        var open: [ObjectIdentifier: CacheCounter] = [:]
        var closed = StatementCacheCounts()
        var settings: SessionSettings?
    }

    private let state = Lock(State())

    var leakedStatements: [String] { state.withLock { $0.leaked } }

    var cacheCounts: StatementCacheCounts {
        state.withLock { state in
            state.open.values.reduce(into: state.closed) { $0.add($1.counts) }
        }
    }

    /// What a new connection of this driver begins with; `nil` before the first.
    var settings: SessionSettings? { state.withLock { $0.settings } }

    func learn(_ settings: SessionSettings) { state.withLock { $0.settings = settings } }

    func opened(_ counter: CacheCounter) {
        state.withLock { $0.open[ObjectIdentifier(counter)] = counter }
    }

    func closed(_ counter: CacheCounter, leaked: [String]) {
        state.withLock { state in
            state.leaked += leaked
            guard state.open.removeValue(forKey: ObjectIdentifier(counter)) != nil else { return }
            state.closed.add(counter.counts)
        }
    }
}

extension StatementCacheCounts {
    fileprivate mutating func add(_ other: StatementCacheCounts) {
        hits += other.hits
        misses += other.misses
    }
}
