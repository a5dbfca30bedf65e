import ConnectionPool
import RigModel

/// Judges one statement by everything that the server said until it was ready for the next.
///
/// Pure. The order of what came matters: a session that is killed says its SQLSTATE first and only then falls silent, and a
/// statement that was answered can still fail before its commit.
struct ReplyLedger {
    /// One result of libpq.
    enum Part: Equatable {
        /// The statement was done; `tag` is the server's word for it (`INSERT 0 1`), empty for an empty statement.
        case done(SQLResult, tag: String)
        case failed(ServerMessage)
        /// A reply that no statement of this driver can have (COPY, for example).
        case unexpected(String)
    }

    /// How the session stands when nothing more comes.
    struct End: Equatable {
        /// libpq still holds the socket, and the server has said that it is ready.
        var isReady: Bool
        /// A notice that the session ends, if one came.
        var notice: ServerMessage?
        /// Why the connection died: it was cut by this process, or libpq's last words.
        var lastWords: String
    }

    private var results: [(result: SQLResult, tag: String)] = []
    private var errors: [ServerMessage] = []
    private var surprise: String?

    /// Nothing that can still come would change the verdict.
    var isOver: Bool { surprise != nil || errors.contains { $0.isFatal && $0.sqlState != nil } }

    var firstError: ServerMessage? { errors.first }

    mutating func take(_ part: Part) {
        switch part {
        case .done(let result, let tag): results.append((result, tag))
        case .failed(let message): errors.append(message)
        case .unexpected(let what): surprise = surprise ?? what
        }
    }

    /// The statement's rows, or why it failed. Success needs one answer, no error after it, and a server that is ready.
    func verdict(role: SQLStatement.Role, end: End) throws(DriverError) -> SQLResult {
        try refuse(end)
        guard results.count == 1 else {
            throw DriverError(.protocolViolation, "one statement was answered \(results.count) times")
        }
        if role == .commit && results[0].tag == "ROLLBACK" { throw Self.commitRolledBack }
        return results[0].result
    }

    /// Throws unless every answer was a success, and the server is ready.
    func refuse(_ end: End) throws(DriverError) {
        if let fatal = errors.first(where: { $0.isFatal && $0.sqlState != nil }), let state = fatal.sqlState {
            throw DriverError(.sessionEnded(sqlState: state), fatal.oneLine)
        }
        if let surprise { throw DriverError(.protocolViolation, surprise) }
        if let complaint = errors.first(where: { $0.sqlState == nil && Self.isOutOfStep($0.text) }) {
            throw DriverError(.protocolViolation, complaint.text)
        }
        if !end.isReady { throw loss(end) }
        if let error = errors.first {
            guard let state = error.sqlState else { throw DriverError(.protocolViolation, error.text) }
            throw DriverError(.server(sqlState: state), error.oneLine)
        }
    }

    /// A failed transaction cannot be committed: the server answers COMMIT with the tag ROLLBACK, and no error. For the
    /// caller that is a certain failure, so it becomes the one that any other statement would have had there.
    static let commitRolledBack = DriverError(
        .server(sqlState: "25P02"),
        "COMMIT was answered with ROLLBACK: an earlier statement of the transaction had failed, so nothing was written")

    private func loss(_ end: End) -> DriverError {
        // An ERROR that was not followed by ReadyForQuery proves little; keep it for the reader.
        let before = errors.first { $0.sqlState != nil }.map { " (before that: \($0.oneLine))" } ?? ""
        if let notice = end.notice, let state = notice.sqlState {
            return DriverError(.sessionEnded(sqlState: state), notice.oneLine + before)
        }
        let words = end.lastWords.isEmpty ? errors.first { $0.sqlState == nil }?.text : end.lastWords
        return DriverError(.connectionLost, (words ?? "the connection is gone") + before)
    }

    /// libpq's words for a stream that is not the protocol (fe-protocol3.c of libpq 15). It gives no code for it, and it
    /// drops some of these connections itself, so they cannot be told from a loss in another way.
    private static func isOutOfStep(_ text: String) -> Bool {
        let phrases = [
            "lost synchronization with server", "unexpected response from server",
            "message contents do not agree with length", "without prior row description", "insufficient data in",
            "extraneous data in", "unexpected field count", "unexpected character",
        ]
        return phrases.contains { text.contains($0) }
    }
}
