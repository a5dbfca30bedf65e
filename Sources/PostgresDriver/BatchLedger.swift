import ConnectionPool
import RigModel

/// Judges the statements of one pipeline by what the server said about each, and by which of its Syncs were answered. Pure.
///
/// A Sync is where the server commits what came since the last, or rolls it back. So an answer counts once the Sync behind
/// it was answered; until then the connection's loss leaves it open.
struct BatchLedger {
    enum Answer: Equatable {
        case none
        case done(SQLResult, tag: Tag)
        case failed(ServerMessage)
        /// The value or the text cannot be sent; the server never saw it.
        case refused(DriverError)
        /// Behind a failure in front of the same Sync.
        case skipped
    }

    /// What matters of the server's word for a statement.
    enum Tag: Equatable {
        case rollback
        case other
    }

    private let roles: [SQLStatement.Role]
    private let atomicity: BatchAtomicity
    private var answers: [Answer]
    /// Items in front of this one have their Sync.
    private var settled = 0
    /// Items in front of this one were given to libpq.
    private(set) var given = 0
    private(set) var firstFailure: Int?
    private var surprise: String?
    /// Errors that no item had asked for, such as FATAL.
    private var ending: ServerMessage?

    init(roles: [SQLStatement.Role], atomicity: BatchAtomicity) {
        self.roles = roles
        self.atomicity = atomicity
        answers = Array(repeating: .none, count: roles.count)
    }

    /// Nothing that can still come would change a verdict.
    var isOver: Bool { surprise != nil || ending != nil }

    func failure(of item: Int) -> ServerMessage? {
        if case .failed(let message) = answers[item] { message } else { nil }
    }

    mutating func give(_ item: Int) { given = max(given, item + 1) }

    mutating func take(_ answer: Answer, for item: Int) {
        switch answer {
        case .failed(let message) where message.isFatal && message.sqlState != nil:
            ending = ending ?? message
            return
        case .done:
            // An error for the preparation came first.
            guard case .none = answers[item] else {
                surprise = surprise ?? "statement \(item) of a batch was answered twice"
                return
            }
        case .skipped: guard case .none = answers[item] else { return }
        case .failed, .refused: if firstFailure == nil { firstFailure = item }
        case .none: return
        }
        answers[item] = answer
    }

    /// The commit that a Sync stands for failed: the last of its items is made to bear that, the others go with it.
    mutating func takeCommitFailure(_ message: ServerMessage, upTo end: Int) {
        guard message.sqlState != nil, !message.isFatal, end > 0 else {
            ending = ending ?? message
            return
        }
        answers[end - 1] = .failed(message)
        firstFailure = min(firstFailure ?? end - 1, end - 1)
    }

    /// The server has answered the Sync behind these items.
    mutating func settle(upTo end: Int) { settled = max(settled, end) }

    /// A reply that no statement of a batch can have.
    mutating func takeSurprise(_ what: String) { surprise = surprise ?? what }

    /// A result for each item.
    ///
    /// - Parameters:
    ///   - end: how the session stands.
    ///   - interruption: why the rest was not waited for.
    func results(end: ReplyLedger.End, interruption: DriverError? = nil) -> [Result<SQLResult, DriverError>] {
        let open = settled < roles.count ? interruption ?? loss(end) : nil
        // A failure undoes what its Sync stands behind, but not what a COMMIT among the items has closed before it.
        var undone = 0..<0
        if atomicity == .allOrNothing, let failed = firstFailure, settled == roles.count {
            undone = ((roles[..<failed].lastIndex(of: .commit) ?? -1) + 1)..<failed
        }
        return answers.indices.map { item in
            if item >= settled, let open {
                if case .refused(let error) = answers[item] { return .failure(error) }
                return .failure(item < given ? open : open.unsent)
            }
            return verdict(of: item, undone: undone)
        }
    }

    private func verdict(of item: Int, undone: Range<Int>) -> Result<SQLResult, DriverError> {
        switch answers[item] {
        case .done(let result, let tag):
            if undone.contains(item), let failed = firstFailure { return .failure(.rolledBack(with: failed)) }
            if roles[item] == .commit, tag == .rollback { return .failure(ReplyLedger.commitRolledBack) }
            return .success(result)
        case .failed(let message):
            guard let state = message.sqlState else {
                return .failure(DriverError(.protocolViolation, message.text))
            }
            return .failure(DriverError(.server(sqlState: state), message.oneLine))
        case .refused(let error): return .failure(error)
        case .skipped: return .failure(.notRun(after: firstFailure ?? item))
        case .none:
            if let failed = firstFailure, atomicity == .allOrNothing { return .failure(.notRun(after: failed)) }
            return .failure(DriverError(.protocolViolation, "a statement of a batch was not answered"))
        }
    }

    /// Why the unsettled items have no verdict of their own.
    private func loss(_ end: ReplyLedger.End) -> DriverError {
        var ledger = ReplyLedger()
        if let ending { ledger.take(.failed(ending)) }
        if let surprise { ledger.take(.unexpected(surprise)) }
        for case .failed(let message) in answers[settled...] { ledger.take(.failed(message)) }
        do throws(DriverError) {
            _ = try ledger.verdict(role: .write, end: end)
        } catch {
            // An error of one item, in front of a Sync that was never answered, is not the others' fate.
            guard case .server = error.cause else { return error }
        }
        return DriverError(.protocolViolation, "a batch ended without the answer to its Sync")
    }
}

extension DriverError {
    /// The same failure for a statement that was never given to the connection.
    fileprivate var unsent: DriverError { .notSent(cause, message) }
}
