import ConnectionPool
import EventLoop
import RigModel
package import Threading

extension PostgresConnection {
    /// Sends rows with COPY … FROM STDIN.
    ///
    /// ```swift
    /// let count = try await connection.copyIn("COPY t (id, name) FROM STDIN", deadline: limit) { writer in
    ///     for user in users { try await writer.write(row: [.int(user.id), .text(user.name)]) }
    /// }
    /// ```
    ///
    /// While rows travel only the deadline ends a wait for the server: the kernel's limit for unanswered data
    /// (`tcp_user_timeout`) would also end one for a server that is just busy.
    ///
    /// All or nothing: when `body` throws, is cancelled, or the deadline passes, the server is told to undo the rows, and the
    /// connection is usable again if the server confirms that within ``PostgresConfiguration/copyWindDownLimit``.
    ///
    /// - Returns: how many rows were written.
    /// - Throws: what `body` throws; or ``DriverError``: `server` when the server refused a row (its message names the line).
    package nonisolated(nonsending) func copyIn(
        _ text: String, deadline: MonotonicInstant,
        _ body: nonisolated(nonsending) (CopyWriter) async throws -> Void
    ) async throws -> Int {
        let start = try Self.admit(until: deadline)
        let watch = try await open(text, .toServer, from: start, until: deadline)
        // A server that waits for a lock takes no rows, and may do so for long: the deadline bounds that, not the kernel.
        let userTimeout = session.setUserTimeout(milliseconds: 0)
        defer { if let userTimeout { session.setUserTimeout(milliseconds: userTimeout) } }
        let writer = CopyWriter(session: session, watch: watch, deadline: deadline)
        do {
            try await body(writer)
            try await writer.flush()
        } catch {
            let verdict = await windDown {
                try await $0.finishCopyIn(watch, complaint: "the client gave the COPY up", from: start, until: $1)
            }
            // The server's own error says more than that it would take no more rows.
            if writer.isRefused, case .failure(let reason as DriverError) = verdict { throw reason }
            throw error
        }
        return try await finishCopyIn(watch, complaint: nil, from: start, until: deadline)
    }

    /// Receives rows with COPY … TO STDOUT.
    ///
    /// ```swift
    /// try await connection.copyOut("COPY t TO STDOUT", deadline: limit) { reader in
    ///     while let rows = try await reader.next() { file.append(rows) }
    /// }
    /// ```
    ///
    /// When `body` ends before the rows do, or throws, the server is asked to stop, and the connection is usable again if the
    /// server does within ``PostgresConfiguration/copyWindDownLimit``.
    ///
    /// - Throws: what `body` throws; or ``DriverError``: the server's, when it failed before its last row.
    package nonisolated(nonsending) func copyOut<R>(
        _ text: String, deadline: MonotonicInstant,
        _ body: nonisolated(nonsending) (CopyReader) async throws -> R
    ) async throws -> R {
        let start = try Self.admit(until: deadline)
        let watch = try await open(text, .fromServer, from: start, until: deadline)
        let reader = CopyReader(session: session, watch: watch, deadline: deadline)
        let result: R
        do { result = try await body(reader) } catch {
            _ = await windDown { try await $0.drainCopyOut(watch, from: start, until: $1) }
            throw error
        }
        guard reader.isOver else {
            _ = await windDown { try await $0.drainCopyOut(watch, from: start, until: $1) }
            return result
        }
        try await takeVerdict(watch, from: start, until: deadline)
        return result
    }

    /// Sends the statement, and waits until rows may travel.
    private nonisolated(nonsending) func open(
        _ text: String, _ direction: CopyDirection, from start: MonotonicInstant, until deadline: MonotonicInstant
    ) async throws(DriverError) -> SocketWatch {
        let (watch, isUnflushed) = try session.begin(copy: text, at: start)
        var reply = Reply()
        var isOpen = false
        do throws(LoopError) {
            if isUnflushed { try await finishWriting(watch, until: deadline) }
            try await watch.wait(for: .readable, until: deadline)
            while try await mustGoOn(session.receiveStart(of: direction, &reply, &isOpen), watch, until: deadline) {}
        } catch {
            throw giveUp(error, from: start)
        }
        if isOpen { return watch }
        _ = try judge(reply)
        throw DriverError(
            .protocolViolation,
            "this is no COPY that moves rows in the direction that was asked for, but it was run: \(text)")
    }

    /// Ends the rows, and takes the verdict.
    ///
    /// - Returns: the server's count of rows.
    private nonisolated(nonsending) func finishCopyIn(
        _ watch: SocketWatch, complaint: String?, from start: MonotonicInstant, until deadline: MonotonicInstant
    ) async throws(DriverError) -> Int {
        if session.endCopy(complaint: complaint) {
            do throws(LoopError) { try await finishWriting(watch, until: deadline) } catch {
                throw giveUp(error, from: start)
            }
        }
        return try await takeVerdict(watch, from: start, until: deadline).affectedRows
    }

    /// Makes the server stop, and throws away what it has sent.
    private nonisolated(nonsending) func drainCopyOut(
        _ watch: SocketWatch, from start: MonotonicInstant, until deadline: MonotonicInstant
    ) async throws(DriverError) -> Int {
        await cancelRunningStatement(deadline: deadline)
        let rest = CopyReader(session: session, watch: watch, deadline: deadline)
        do throws(DriverError) { while try await rest.next() != nil {} } catch {
            throw giveUp(rest.interruption ?? .timedOut, from: start)
        }
        return try await takeVerdict(watch, from: start, until: deadline).affectedRows
    }

    @discardableResult
    private nonisolated(nonsending) func takeVerdict(
        _ watch: SocketWatch, from start: MonotonicInstant, until deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        var reply = Reply()
        do throws(LoopError) {
            while try await mustGoOn(session.receive(&reply), watch, until: deadline) {}
        } catch {
            throw giveUp(error, from: start)
        }
        return try judge(reply)
    }

    private func judge(_ reply: borrowing Reply) throws(DriverError) -> SQLResult {
        do throws(DriverError) { return try reply.verdict(role: .write) } catch {
            if error.provesLoss { session.damage(error) }
            throw error
        }
    }

    /// Brings a COPY to its end in a task of its own, since the caller's may be cancelled, with a bound of its own.
    private nonisolated(nonsending) func windDown(
        _ end: @escaping @Sendable (PostgresConnection, MonotonicInstant) async throws -> Int
    ) async -> Result<Int, any Error> {
        let limit = MonotonicInstant.now.advanced(by: copyWindDownLimit)
        return await Task(executorPreference: EventLoop.current) { try await end(self, limit) }.result
    }
}
