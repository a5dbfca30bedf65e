import CLibPQ
import CLinux
import ConnectionPool
import Glibc
import RigModel
import Threading

/// libpq's connection, its notices and its end, behind one lock.
///
/// libpq closes its socket in the middle of many calls, and the number may then belong to someone else at once. So every
/// call that could close it, and the `shutdown` of another thread, hold this lock: a cut always hits the right socket. All
/// calls here return without waiting, so the lock is held for microseconds.
final class Session: @unchecked Sendable {
    // @unchecked: libpq's object and the notices are touched with the lock held only.

    private struct State {
        var connection: OpaquePointer?
        /// Why the session must not be used again; `nil` while it may.
        var damage: DriverError?
    }

    private let state: Lock<State>
    private let notices: NoticeLog

    /// Begins a connect.
    ///
    /// - Returns: `nil` when there is no memory.
    init?(parameters: [String: String]) {
        let sorted = parameters.sorted { $0.key < $1.key }
        guard
            let connection = withCStrings(
                sorted.map(\.key),
                { keywords in
                    withCStrings(sorted.map(\.value)) { values in PQconnectStartParams(keywords, values, 0) }
                })
        else { return nil }
        // The errors of a connect have no code of their own: let their text be the code.
        PQsetErrorVerbosity(connection, PQERRORS_SQLSTATE)
        notices = NoticeLog()
        notices.listen(to: connection)
        state = Lock(State(connection: connection))
    }

    deinit { finish() }

    // MARK: Connecting

    var status: ConnStatusType { call { PQstatus($0) } ?? CONNECTION_BAD }
    var socket: Int32 { call { PQsocket($0) } ?? -1 }
    var backendPID: Int { Int(call { PQbackendPID($0) } ?? 0) }
    var lastWords: String { call { String(cString: PQerrorMessage($0)) } ?? "" }

    func pollConnect() -> PostgresPollingStatusType { call { PQconnectPoll($0) } ?? PGRES_POLLING_FAILED }

    /// Prepares an established connection for statements. Returns whether libpq could.
    func becomeNonBlocking() -> Bool {
        call {
            PQsetErrorVerbosity($0, PQERRORS_DEFAULT)
            return PQsetnonblocking($0, 1) == 0
        } ?? false
    }

    // MARK: Statements

    /// Puts a statement on its way. Returns whether libpq took it.
    func send(_ statement: SQLStatement) -> Bool {
        withOptionalCStrings(statement.parameters.map(TextValues.encode)) { values in
            call {
                PQsendQueryParams(
                    $0, statement.text, Int32(statement.parameters.count), nil, values, nil, nil, 0) == 1
            } ?? false
        }
    }

    /// Writes what can be written. Returns whether something is left. A failure shows when the answer is read.
    func flush() -> Bool { call { PQflush($0) == 1 } ?? false }

    /// Reads what has come. Returns whether the connection is still there.
    func consumeInput() -> Bool { call { PQconsumeInput($0) == 1 } ?? false }

    /// The next result could only be had by waiting.
    var isBusy: Bool { call { PQisBusy($0) == 1 } ?? false }

    /// The next result of the statement, `nil` after the last. Call it only when not busy: else it blocks.
    func nextPart() -> ReplyLedger.Part? {
        guard let result = call({ PQgetResult($0) }) ?? nil else { return nil }
        defer { PQclear(result) }
        return ReplyLedger.Part(result)
    }

    /// How things stand after a statement.
    var end: ReplyLedger.End {
        state.withLock { state in
            guard let connection = state.connection else {
                return ReplyLedger.End(isReady: false, notice: nil, lastWords: "the connection was closed")
            }
            while let message = PQnotifies(connection) { PQfreemem(message) }  // nobody listens: do not pile them up
            let isReady =
                PQstatus(connection) == CONNECTION_OK
                && ![PQTRANS_ACTIVE, PQTRANS_UNKNOWN].contains(PQtransactionStatus(connection))
            return ReplyLedger.End(
                isReady: isReady, notice: notices.ending,
                lastWords: state.damage?.message ?? String(cString: PQerrorMessage(connection)).trimmingLineEnds())
        }
    }

    // MARK: State

    /// Declares the session unusable; the first reason stays.
    func damage(_ reason: DriverError) { state.withLock { $0.damage = $0.damage ?? reason } }

    var transactionStatus: TransactionStatus {
        state.withLock { state in
            guard let connection = state.connection, state.damage == nil, PQstatus(connection) == CONNECTION_OK else {
                return .unusable
            }
            switch PQtransactionStatus(connection) {
            case PQTRANS_IDLE: return .idle
            case PQTRANS_INTRANS: return .inTransaction
            case PQTRANS_INERROR: return .failedTransaction
            default: return .unusable
            }
        }
    }

    /// Looks, without waiting, for what the server did while nobody asked, and lets libpq digest it: parameter changes and
    /// ordinary notices are harmless.
    ///
    /// - Returns: why no statement can be sent; `nil` when one can.
    func obstacle() -> DriverError? {
        state.withLock { state in
            guard let connection = state.connection else {
                return .notSent(.connectionLost, "the connection was closed")
            }
            if state.damage == nil { state.damage = fault(of: connection) }
            return state.damage.map { .notSent($0.cause, $0.message) }
        }
    }

    private func fault(of connection: OpaquePointer) -> DriverError? {
        let silence = digest(connection)
        if let ending = notices.ending, let code = ending.sqlState {
            return DriverError(.sessionEnded(sqlState: code), ending.oneLine)
        }
        if let stray = notices.stray { return DriverError(.protocolViolation, stray.text) }
        if let silence { return DriverError(.connectionLost, silence) }
        guard PQtransactionStatus(connection) == PQTRANS_ACTIVE else { return nil }
        return DriverError(.protocolViolation, "an earlier statement has not ended")
    }

    /// - Returns: how the connection ended; `nil` while it stands.
    private func digest(_ connection: OpaquePointer) -> String? {
        // Each round takes at least one byte; the bound is for a server that never stops talking.
        for _ in 0..<64 {
            guard PQstatus(connection) == CONNECTION_OK, PQsocket(connection) >= 0 else { break }
            let seen = clinux_peek(PQsocket(connection))
            if seen < 0 {
                let number = errno
                if number == EAGAIN || number == EINTR { return nil }
                return "the connection failed while it was idle: \(String(cString: strerror(number)))"
            }
            guard PQconsumeInput(connection) == 1, seen == 1 else { break }
            _ = PQisBusy(connection)  // parses: notices go to the log
        }
        if PQstatus(connection) == CONNECTION_OK { return nil }
        let words = String(cString: PQerrorMessage(connection)).trimmingLineEnds()
        return "the server closed the connection while it was idle: \(words)"
    }

    // MARK: The end

    /// Cuts the connection: whoever waits on its socket wakes up and finds its end. Any thread.
    func cut() {
        state.withLock { state in
            guard let connection = state.connection else { return }
            let socket = PQsocket(connection)
            if socket >= 0 { _ = shutdown(socket, Int32(SHUT_RDWR)) }
            state.damage = state.damage ?? DriverError(.connectionLost, "the connection was cut by its owner")
        }
    }

    /// Says goodbye as far as that needs no waiting, and frees everything. A second call does nothing.
    func finish() {
        state.withLock { state in
            if let connection = state.connection.take() { PQfinish(connection) }
        }
    }

    private func call<R>(_ body: (OpaquePointer) -> R) -> R? {
        state.withLock { state in state.connection.map(body) }
    }
}

extension DriverError {
    /// A failure that came before any byte of the statement left this process.
    static func notSent(_ cause: FailureCause, _ message: String) -> DriverError {
        DriverError(cause, message + " (the statement was not sent)", requestSent: false)
    }
}
