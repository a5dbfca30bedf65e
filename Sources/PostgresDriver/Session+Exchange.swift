import CLibPQ
import CLinux
import ConnectionPool
import EventLoop
import Glibc
import RigModel
import Synchronization
import Threading

/// What became of the first half of a statement.
enum Opening {
    /// It was given to libpq.
    ///
    /// - watch: where to wait for the answer.
    /// - name: of the prepared statement, when it has one.
    /// - isUnflushed: the kernel did not take all of it.
    case sent(watch: SocketWatch, name: String?, isUnflushed: Bool)
    /// It needs more than one message: see ``Pipeline``.
    case pipeline(StatementCache.Plan)
}

/// Decides whether to read once more before waiting.
///
/// The watch reports edges only, and libpq leaves bytes behind when its buffer is full: so the socket must be asked before
/// every wait.
struct ReadBudget {
    private var reads = 0
    private var hasTriedInside = false

    /// Others may run now; then go on.
    var isSpent: Bool { reads > 16 }

    /// Whether the socket has more, or has ended.
    mutating func allowsMore(from connection: OpaquePointer) -> Bool {
        reads += 1
        if isSpent { return false }
        let socket = PQsocket(connection)
        if socket < 0 || clinux_peek(socket) >= 0 {
            hasTriedInside = false
            return true
        }
        let number = errno
        if number != EAGAIN && number != EINTR { return true }
        // A TLS record is decrypted whole, and its rest may not have fitted libpq's buffer: it is there without the kernel.
        guard !hasTriedInside, PQsslInUse(connection) == 1 || PQgssEncInUse(connection) == 1 else { return false }
        hasTriedInside = true
        return true
    }
}

extension Session {
    /// Puts a statement on its way with one message, when one is enough. One hold of the lock, one system call.
    ///
    /// - Throws: ``ConnectionPool/DriverError``. Nothing was sent if it says so; the connection is then as good as it was.
    func begin(_ statement: SQLStatement, at now: MonotonicInstant) throws(DriverError) -> Opening {
        try state.withLock { (state) throws(DriverError) -> Opening in
            isAtRest.store(false, ordering: .releasing)
            let connection = try state.admit(at: now)
            guard statement.parameters.count <= 65535, let watch = settled(&state) else {
                throw TextValues.refusal(of: statement) ?? .notSent(.connectionLost, "the connection was closed")
            }
            let plan = state.cache.plan(for: statement)
            // They are told to the server outside a transaction, which a refusal would spoil.
            let mustDeallocate = !state.cache.abandoned.isEmpty && PQtransactionStatus(connection) == PQTRANS_IDLE
            var name: String?
            switch plan {
            case .prepare: return .pipeline(plan)
            case .prepared(let known): name = known
            case .unnamed: if let refusal = TextValues.refusal(of: statement) { throw refusal }
            }
            if mustDeallocate { return .pipeline(plan) }
            guard let isSent = Self.send(statement, name: name, to: connection) else { throw .nulByte }
            try state.take(connection, isSent)
            // A failure to write shows when the answer is read.
            return .sent(watch: watch, name: name, isUnflushed: PQflush(connection) == 1)
        }
    }

    /// Puts several statements on their way with the simple protocol.
    ///
    /// - Returns: where to wait, and whether the kernel did not take all of it.
    func begin(script text: String, at now: MonotonicInstant) throws(DriverError) -> (SocketWatch, isUnflushed: Bool) {
        try state.withLock { (state) throws(DriverError) -> (SocketWatch, isUnflushed: Bool) in
            isAtRest.store(false, ordering: .releasing)
            let connection = try state.admit(at: now)
            guard let watch = settled(&state) else { throw .notSent(.connectionLost, "the connection was closed") }
            try state.take(connection, text.withCString { PQsendQuery(connection, $0) == 1 })
            return (watch, PQflush(connection) == 1)
        }
    }

    /// The watch on the borrower's own loop. Called with the lock held.
    func settled(_ state: inout State) -> SocketWatch? {
        if let current = EventLoop.current, let watch = state.watch, watch.loop !== current {
            settle(&state, on: current)
        }
        return state.watch
    }

    /// - Returns: whether libpq took it; `nil` when a value cannot be sent.
    static func send(_ statement: SQLStatement, name: String?, to connection: OpaquePointer) -> Bool? {
        ParameterText.withStrings(statement.parameters) { values, count in
            if let name {
                return name.withCString { PQsendQueryPrepared(connection, $0, count, values, nil, nil, 0) == 1 }
            }
            return statement.text.withCString {
                PQsendQueryParams(connection, $0, count, nil, values, nil, nil, 0) == 1
            }
        }
    }

    /// Writes more of the request. Reads meanwhile: a server that is stuck writing to us would never read.
    func push() -> Progress {
        state.withLock { state in
            guard let connection = state.connection, PQstatus(connection) == CONNECTION_OK else { return .complete }
            var budget = ReadBudget()
            while true {
                guard PQconsumeInput(connection) == 1, PQflush(connection) == 1 else { return .complete }
                guard budget.allowsMore(from: connection) else { return budget.isSpent ? .again : .wait(.both) }
            }
        }
    }

    /// Reads what has come. One hold of the lock, one system call when the answer is there.
    func receive(_ reply: inout Reply) -> Progress {
        state.withLock { state in
            guard let connection = state.connection else {
                reply.end = ReplyLedger.End(isReady: false, notice: nil, lastWords: "the connection was closed")
                return .complete
            }
            var budget = ReadBudget()
            var isThere = PQconsumeInput(connection) == 1
            // One result and an error are usual; more than a few mean that libpq repeats itself about a dead connection.
            for _ in 0..<16 {
                while isThere, PQisBusy(connection) == 1 {
                    guard budget.allowsMore(from: connection) else {
                        return budget.isSpent ? .again : .wait(.readable)
                    }
                    isThere = PQconsumeInput(connection) == 1
                }
                guard let result = PQgetResult(connection) else { break }
                reply.take(result)
                if reply.isOver { break }
            }
            reply.end = state.end(of: connection)
            state.isInUse = false
            state.lastUse = .now
            return .complete
        }
    }

    // MARK: Prepared statements

    /// The server was told to forget them all.
    func forgetStatements() { state.withLock { $0.cache.forgetAll() } }

    /// Judges an error of a prepared statement: whether the server has lost it, or has it in a form that no longer fits the
    /// tables. Either way nothing was run.
    ///
    /// - Returns: whether to execute it again, which will prepare it anew.
    func mayRepeat(after message: ServerMessage, name: String) -> Bool {
        state.withLock { state in
            guard state.disown(name, after: message) else { return false }
            return state.transactionStatus == .idle
        }
    }
}

extension Session.State {
    /// Notes whether libpq took a statement.
    mutating func take(_ connection: OpaquePointer, _ isSent: Bool) throws(DriverError) {
        if isSent {
            isInUse = true
            return
        }
        let end = end(of: connection)
        let words = String(cString: PQerrorMessage(connection)).trimmingLineEnds()
        let error = DriverError(end.isReady ? .protocolViolation : .connectionLost, words)
        damage = damage ?? error
        throw error
    }

    /// Drops the prepared statement if `message` means that the server does not have it, or not in a form that fits.
    mutating func disown(_ name: String, after message: ServerMessage) -> Bool {
        switch message.sqlState {
        case "26000" where message.text.contains(name): cache.noteLoss(of: name)
        // "cached plan must not change result type": known by the function that says it, since words are translated.
        case "0A000" where message.routine == "RevalidateCachedQuery": cache.drop(name, serverKeeps: true)
        default: return false
        }
        return true
    }
}
