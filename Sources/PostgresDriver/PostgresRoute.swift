import Threading

/// Where a server is, while that may change: each new connection goes to where it is then. Thread-safe.
package final class PostgresRoute: Sendable {
    private let known: Lock<PostgresEndpoint?>

    /// - Parameter endpoint: `nil`: where the configuration says.
    package init(_ endpoint: PostgresEndpoint? = nil) { known = Lock(endpoint) }

    package var endpoint: PostgresEndpoint? {
        get { known.withLock { $0 } }
        set { known.withLock { $0 = newValue } }
    }
}
