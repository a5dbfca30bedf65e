package import ConnectionPool
import EventLoop
import RigModel
import Synchronization
package import Threading

/// One session of a PostgreSQL server. Used by one borrower at a time; ``abort()`` and ``cancelRunningStatement(deadline:)``
/// alone may come from another thread.
package final class PostgresConnection: DriverConnection {
    /// The server process; behind a pooler that speaks for the server (PgBouncer) the number is the pooler's invention.
    package let backendPID: Int?
    /// The server's version as libpq counts: 150018 for 15.18.
    package let serverVersion: Int

    let session: Session
    /// Where the connect was waited for. The session moves to the loops of its borrowers.
    let loop: EventLoop
    let copyWindDownLimit: Duration

    init(session: Session, loop: EventLoop, copyWindDownLimit: Duration) {
        self.session = session
        self.loop = loop
        self.copyWindDownLimit = copyWindDownLimit
        backendPID = session.backendPID
        serverVersion = session.serverVersion
    }

    package var transactionStatus: TransactionStatus { session.transactionStatus }

    package var affinity: Int32 { session.loopNumber.load(ordering: .relaxed) }

    /// Looks at the socket, and lets libpq read what is there: a farewell of the server makes this `false`, a changed
    /// parameter does not. No round trip, never waits.
    package func looksAlive() -> Bool { session.obstacle(idle: .max) == nil }

    /// Within a millisecond of its last use the event loop's word is enough, and no system call is made.
    package func looksAlive(idleNanoseconds: UInt64) -> Bool { session.obstacle(idle: idleNanoseconds) == nil }

    package func onIdleEvent(_ notice: @escaping @Sendable () -> Void) { session.onIdleEvent(notice) }

    /// Runs one statement with the extended protocol and waits until the server is ready for the next.
    ///
    /// Statements that read or change rows are prepared and kept, see ``StatementCache``; the first execution prepares and
    /// runs in one round trip. A prepared statement that the server has lost, or that no longer fits its tables, is prepared
    /// and run once more, unless a transaction is open: that has failed then, and the error is thrown.
    ///
    /// Errors of a statement that the server had already closed the door to have `requestSent == false`: it can be tried
    /// again elsewhere. A COMMIT that the server turned into a rollback throws `server(sqlState: "25P02")`. COPY throws
    /// `protocolViolation` here, and the connection is unusable: use ``copyIn(_:deadline:_:)`` and
    /// ``copyOut(_:deadline:_:)``.
    ///
    /// - Throws: ``DriverError``: `server` leaves the connection usable, everything else with `requestSent` does not. A
    ///   statement that is given up at its deadline, or cancelled, is ended on the server, too, in the background.
    package func execute(
        _ statement: SQLStatement, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        let start = try Self.admit(until: deadline)
        switch try session.begin(statement, at: start) {
        case .pipeline(let plan):
            return try await execute(statement, plan: plan, from: start, until: deadline)
        case .sent(let watch, let name, let isUnflushed):
            let reply = try await answer(on: watch, isUnflushed: isUnflushed, from: start, until: deadline)
            do throws(DriverError) {
                let result = try reply.verdict(role: statement.role)
                if name == nil, reply.forgotStatements { session.forgetStatements() }
                return result
            } catch {
                if error.provesLoss { session.damage(error) }
                guard let name, let message = reply.failure, session.mayRepeat(after: message, name: name) else {
                    throw error
                }
            }
            return try await executeAgain(statement, from: start, until: deadline)
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

    /// Frees everything at once. The goodbye is written if the socket takes it without waiting, so no deadline is needed.
    package func close(deadline: MonotonicInstant) async { session.finish() }

    /// Cuts the socket. A call that is running fails with `connectionLost`.
    package func abort() { session.cut() }

    /// Refuses what need not be sent. The connection stays as good as it was.
    ///
    /// - Returns: the time now.
    static func admit(until deadline: MonotonicInstant) throws(DriverError) -> MonotonicInstant {
        if Task.isCancelled { throw .notSent(.cancelled, "the task was cancelled") }
        let now = MonotonicInstant.now
        if deadline <= now { throw .notSent(.timedOut, "the deadline had passed") }
        return now
    }

    /// A statement that needs more than one message, with what the cache has said about it.
    private nonisolated(nonsending) func execute(
        _ statement: SQLStatement, plan: StatementCache.Plan, from start: MonotonicInstant,
        until deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        var pipeline = Pipeline(items: [statement], atomicity: .allOrNothing, firstPlan: plan)
        let result = await run(&pipeline, from: start, until: deadline)[0]
        guard !pipeline.lost.isEmpty, session.transactionStatus == .idle else { return try result.get() }
        return try await executeAgain(statement, from: start, until: deadline)
    }

    /// Once more, after the server had lost the prepared statement; what it was is dropped from the cache by now.
    private nonisolated(nonsending) func executeAgain(
        _ statement: SQLStatement, from start: MonotonicInstant, until deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        var pipeline = Pipeline(items: [statement], atomicity: .allOrNothing)
        return try await run(&pipeline, from: start, until: deadline)[0].get()
    }

    // MARK: Waiting

    /// Waits for the whole answer to a request that has been begun.
    nonisolated(nonsending) func answer(
        on watch: SocketWatch, isUnflushed: Bool, from start: MonotonicInstant, until deadline: MonotonicInstant
    ) async throws(DriverError) -> Reply {
        var reply = Reply()
        do throws(LoopError) {
            if isUnflushed { try await finishWriting(watch, until: deadline) }
            try await watch.wait(for: .readable, until: deadline)
            while try await mustGoOn(session.receive(&reply), watch, until: deadline) {}
        } catch {
            throw giveUp(error, from: start)
        }
        return reply
    }

    /// Writes the whole request.
    nonisolated(nonsending) func finishWriting(
        _ watch: SocketWatch, until deadline: MonotonicInstant
    ) async throws(LoopError) {
        try await watch.wait(for: .both, until: deadline)
        while try await mustGoOn(session.push(), watch, until: deadline) {}
    }
}
