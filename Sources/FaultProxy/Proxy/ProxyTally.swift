import Threading

/// How the connections of a proxy ended, by reason. Thread-safe.
package final class ProxyTally: Sendable {
    private let counts = Lock<[String: Int]>([:])

    package init() {}

    /// Takes in what a relay tells.
    package func note(_ event: RelayEvent) {
        guard case .closed(_, let reason, _, _) = event else { return }
        counts.withLock { $0[reason.label, default: 0] += 1 }
    }

    /// Reasons and counts, in the order of the reasons' names.
    package var closed: [(reason: String, count: Int)] {
        counts.withLock { $0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

extension RelayEvent.Reason {
    /// One of a few words, for metrics: a reason's description may name what others chose.
    package var label: String {
        switch self {
        case .finished(let first): first == .upstream ? "client_closed" : "server_closed"
        case .clientReset: "client_reset"
        case .serverReset: "server_reset"
        case .serverRefused: "server_not_reached"
        case .dialTimedOut: "dial_timed_out"
        case .refusedByToxic: "refused_by_toxic"
        case .toxic: "toxic"
        case .cut: "cut"
        case .ended: "ended"
        case .proxyStopped: "proxy_stopped"
        }
    }
}
