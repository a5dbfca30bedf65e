import Threading

/// A password that may change while a pool lives: each new connection uses the one that is known then. Thread-safe.
package final class PostgresSecret: Sendable, CustomStringConvertible {
    private let known: Lock<String?>

    /// - Parameter password: `nil`: what the URL or libpq's usual places say.
    package init(_ password: String? = nil) { known = Lock(password) }

    package var password: String? {
        get { known.withLock { $0 } }
        set { known.withLock { $0 = newValue } }
    }

    package var description: String { "a password" }
}
