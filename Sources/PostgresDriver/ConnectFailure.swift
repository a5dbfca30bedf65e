import ConnectionPool
import RigModel

/// What libpq says about a connect that failed.
///
/// libpq 15 keeps no SQLSTATE for a failed connect. With `PQERRORS_SQLSTATE` its text ends in the code instead of the
/// server's words: `… failed: FATAL:  3D000`. So the words are put back from a table.
enum ConnectFailure {
    static func error(libpqText: String, target: String) -> DriverError {
        let state = sqlState(in: libpqText)
        let text = libpqText.trimmingLineEnds()
        let meaning = state.map { ": \(meanings[$0] ?? "see PostgreSQL's Appendix A for \($0)")" } ?? ""
        return DriverError(
            .connectFailed(sqlState: state), "cannot connect to \(target): \(text)\(meaning)", requestSent: false)
    }

    /// The SQLSTATE at the end of a line. The last one: after several servers, or a second try without TLS, it is the most
    /// telling.
    static func sqlState(in text: String) -> String? {
        var found: String?
        for line in text.split(whereSeparator: \.isNewline) {
            if let match = line.firstMatch(of: #/:  ([0-9A-Z]{5})\s*$/#) { found = String(match.1) }
        }
        return found
    }

    private static let meanings = [
        "28000": "the server refuses this user or address: see pg_hba.conf, and whether the role exists and may log in",
        "28P01": "the password is wrong",
        "3D000": "the database does not exist",
        "42501": "the user may not connect to this database",
        "53300": "the server has no connection left for this user or database: see max_connections and role limits",
        "55000": "the database does not accept connections at the moment",
        "57P03": "the server is starting up, shutting down or recovering: try again",
    ]
}
