import ConnectionPool
import Threading

/// Adds up the statement caches of a driver's connections. Each connection counts for itself, under its own lock, so that
/// connections never share a cache line; only opening, closing and asking come here.
final class StatementCacheLedger: Sendable {
    private struct State {
        var open: [ObjectIdentifier: @Sendable () -> StatementCacheCounts] = [:]
        var closed = StatementCacheCounts()
    }

    private let state = Lock(State())

    /// - Parameter counts: asked now and then, until ``close(_:with:)``; must not keep the connection alive.
    func open(_ id: ObjectIdentifier, counts: @escaping @Sendable () -> StatementCacheCounts) {
        state.withLock { $0.open[id] = counts }
    }

    /// - Parameter final: the connection's last count.
    func close(_ id: ObjectIdentifier, with final: StatementCacheCounts) {
        let counts = state.withLock { state in
            let counts = state.open.removeValue(forKey: id)
            if counts != nil { state.closed = state.closed + final }
            return counts
        }
        withExtendedLifetime(counts) {}
    }

    /// Uses since the driver began, of open and closed connections.
    ///
    /// - Complexity: O(number of open connections).
    var total: StatementCacheCounts {
        let (closed, open) = state.withLock { ($0.closed, Array($0.open.values)) }
        return open.reduce(closed) { $0 + $1() }
    }
}

extension StatementCacheCounts {
    fileprivate static func + (a: Self, b: Self) -> Self {
        StatementCacheCounts(hits: a.hits + b.hits, misses: a.misses + b.misses)
    }
}
