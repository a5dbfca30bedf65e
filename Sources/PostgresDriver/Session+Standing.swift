import CLibPQ
import CLinux
import ConnectionPool
import EventLoop
import Glibc
import RigModel
import Threading

/// What a session's state says about it, without waiting.
extension Session.State {
    /// How long after a statement the socket is not looked at again, in nanoseconds. A server that closes in this time is
    /// found by the statement itself, unless the loop has already reported it.
    static var trust: UInt64 { 1_000_000 }

    var transactionStatus: TransactionStatus {
        guard let connection, damage == nil, PQstatus(connection) == CONNECTION_OK else { return .unusable }
        switch PQtransactionStatus(connection) {
        case PQTRANS_IDLE: return .idle
        case PQTRANS_INTRANS: return .inTransaction
        case PQTRANS_INERROR: return .failedTransaction
        default: return .unusable
        }
    }

    /// The connection, when a statement can be sent on it.
    mutating func admit(at now: MonotonicInstant) throws(DriverError) -> OpaquePointer {
        try admit(idle: now.nanoseconds &- lastUse.nanoseconds)
    }

    /// The same, for a session that was used this many nanoseconds ago.
    mutating func admit(idle: UInt64) throws(DriverError) -> OpaquePointer {
        guard let connection else { throw .notSent(.connectionLost, "the connection was closed") }
        if let damage { throw .notSent(damage.cause, damage.message) }
        guard let watch, idle < Self.trust, !watch.hasNews,
            PQstatus(connection) == CONNECTION_OK, PQtransactionStatus(connection) != PQTRANS_ACTIVE
        else {
            if let fault = look() { throw .notSent(fault.cause, fault.message) }
            return connection
        }
        return connection
    }

    /// Looks at the socket. A fault is kept as the damage.
    mutating func look() -> DriverError? {
        guard let connection else { return nil }
        if damage == nil { damage = fault(of: connection) }
        return damage
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

    /// How things stand after a statement.
    func end(of connection: OpaquePointer) -> ReplyLedger.End {
        while let message = PQnotifies(connection) { PQfreemem(message) }  // nobody listens: do not pile them up
        let transaction = PQtransactionStatus(connection)
        let isReady =
            PQstatus(connection) == CONNECTION_OK && transaction != PQTRANS_ACTIVE && transaction != PQTRANS_UNKNOWN
        if isReady { return ReplyLedger.End(isReady: true, notice: nil, lastWords: "") }
        return ReplyLedger.End(
            isReady: false, notice: notices.ending,
            lastWords: damage?.message ?? String(cString: PQerrorMessage(connection)).trimmingLineEnds())
    }
}

extension StatementCache {
    /// 9 characters drawn for one connection.
    static func randomPrefix() -> String {
        let space: UInt64 = 36 * 36 * 36 * 36 * 36 * 36 * 36 * 36  // 8 digits behind the letter
        let digits = String(UInt64.random(in: 0..<space), radix: 36)
        return "s" + String(repeating: "0", count: 8 - digits.count) + digits
    }
}

extension DriverError {
    /// A failure that came before any byte of the statement left this process.
    static func notSent(_ cause: FailureCause, _ message: String) -> DriverError {
        DriverError(cause, message + " (the statement was not sent)", requestSent: false)
    }
}
