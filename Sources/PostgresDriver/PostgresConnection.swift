package import ConnectionPool
import EventLoop
import RigModel
package import Threading

/// One session of a PostgreSQL server. Used by one borrower at a time; ``abort()`` alone may come from another thread.
package final class PostgresConnection: DriverConnection {
    /// The server process; behind a pooler that speaks for the server (PgBouncer) the number is the pooler's invention.
    package let backendPID: Int?

    private let session: Session
    private let loop: EventLoop
    private let slot: WaitSlot

    init(session: Session, loop: EventLoop, slot: WaitSlot) {
        self.session = session
        self.loop = loop
        self.slot = slot
        backendPID = session.backendPID
    }

    package var transactionStatus: TransactionStatus { session.transactionStatus }

    /// Looks at the socket, and lets libpq read what is there: a farewell of the server makes this `false`, a changed
    /// parameter does not. No round trip, never waits.
    package func looksAlive() -> Bool { session.obstacle() == nil }

    /// Runs one statement with the extended protocol and waits until the server is ready for the next.
    ///
    /// Errors of a statement that the server had already closed the door to have `requestSent == false`: it can be tried
    /// again elsewhere. A COMMIT that the server turned into a rollback throws `server(sqlState: "25P02")`. COPY is not
    /// supported: it throws `protocolViolation`, and the connection is unusable.
    ///
    /// - Throws: ``DriverError``: `server` leaves the connection usable, everything else with `requestSent` does not.
    package func execute(
        _ statement: SQLStatement, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        try admit(statement, deadline: deadline)
        guard session.send(statement) else {
            let end = session.end
            let error = DriverError(end.isReady ? .protocolViolation : .connectionLost, end.lastWords)
            session.damage(error)
            throw error
        }
        let start = MonotonicInstant.now
        var ledger = ReplyLedger()
        do throws(LoopError) {
            try await flush(until: deadline)
            try await drain(into: &ledger, until: deadline)
        } catch {
            // The answer may still come: the next statement would read it as its own.
            let failure = DriverError(
                interruption: error,
                "a statement was given up after \(start.duration(to: .now)), it may still run on the server",
                requestSent: true)
            session.damage(failure)
            throw failure
        }
        do throws(DriverError) {
            return try ledger.verdict(role: statement.role, end: session.end)
        } catch {
            if error.provesLoss { session.damage(error) }
            throw error
        }
    }

    /// An empty statement: the server answers it without planning or a transaction. In a failed transaction it answers with
    /// an error, which proves as much.
    package func check(deadline: MonotonicInstant) async throws(DriverError) {
        do {
            _ = try await execute(SQLStatement("", role: .read), deadline: deadline)
        } catch {
            guard error.cause == .server(sqlState: "25P02") else { throw error }
        }
    }

    package func execute(
        batch: [SQLStatement], atomicity: BatchAtomicity, deadline: MonotonicInstant
    ) async -> [Result<SQLResult, DriverError>] {
        await executeInTurn(batch, atomicity: atomicity, begin: SQLStatement("BEGIN", role: .begin), deadline: deadline)
    }

    package func cancelRunningStatement(deadline: MonotonicInstant) async {}

    /// Rolls back an open transaction; does nothing for a session that has none.
    ///
    /// - Throws: ``DriverError`` when the connection is unusable, or is so afterwards.
    package func reset(_ policy: ResetPolicy, deadline: MonotonicInstant) async throws(DriverError) {
        if transactionStatus == .inTransaction || transactionStatus == .failedTransaction {
            _ = try await execute(.rollback, deadline: deadline)
        }
        guard transactionStatus == .idle else {
            throw session.obstacle()
                ?? .notSent(.protocolViolation, "the session is still \(transactionStatus.rawValue)")
        }
    }

    /// Frees everything at once. The goodbye is written if the socket takes it without waiting, so no deadline is needed.
    package func close(deadline: MonotonicInstant) async { session.finish() }

    /// Cuts the socket. A call that is running fails with `connectionLost`.
    package func abort() { session.cut() }

    /// Refuses what must not or need not be sent. The connection stays as good as it was.
    private func admit(_ statement: SQLStatement, deadline: MonotonicInstant) throws(DriverError) {
        if let refusal = TextValues.refusal(of: statement) { throw refusal }
        if Task.isCancelled { throw .notSent(.cancelled, "the task was cancelled") }
        if deadline <= .now { throw .notSent(.timedOut, "the deadline had passed") }
        if let obstacle = session.obstacle() { throw obstacle }
    }

    /// Writes the whole request. Reads meanwhile: a server that is stuck writing to us would never read.
    private nonisolated(nonsending) func flush(until deadline: MonotonicInstant) async throws(LoopError) {
        while session.flush() {
            try await loop.wait(slot, session.socket, for: .both, until: deadline)
            guard session.consumeInput() else { return }
        }
    }

    /// Takes every result up to ReadyForQuery, or to the end of the session.
    private nonisolated(nonsending) func drain(
        into ledger: inout ReplyLedger, until deadline: MonotonicInstant
    ) async throws(LoopError) {
        // One result and an error are usual; more than a few mean that libpq repeats itself about a dead connection.
        for _ in 0..<16 {
            while session.isBusy {
                try await loop.wait(slot, session.socket, for: .readable, until: deadline)
                guard session.consumeInput() else { break }
            }
            guard let part = session.nextPart() else { return }
            ledger.take(part)
            if ledger.isOver { return }
        }
    }
}
