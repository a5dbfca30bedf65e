/// A connection URL that cannot be used. The text never repeats parts of the URL that could be a password.
package struct PostgresConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    package let reason: String

    init(_ reason: String) { self.reason = reason }

    package var description: String {
        "cannot use the PostgreSQL connection URL: \(reason). Expected "
            + "postgresql://user:password@host:port/database?parameter=value, with / @ : ? # % in a password percent-encoded"
    }
}
