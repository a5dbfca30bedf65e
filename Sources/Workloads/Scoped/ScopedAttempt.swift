import ConnectionPool
import RigModel
import Threading

/// One attempt at a use of somebody else's pool: what the client does with the connection, and what became of it. Thread-safe.
///
/// The work throws the pool's own errors through the pool, which may need to see them; what is judged is noted before.
final class ScopedAttempt: Sendable {
    private struct State {
        var calls = CallTimes()
        var results: [SQLResult] = []
        var failure: UseFailure?
        var hasConnection = false
        /// The work has come to its end, good or bad.
        var isDone = false
    }

    private static let askPID = SQLStatement("SELECT pg_backend_pid()", role: .read)

    private let request: UseRequest
    private let number: Int
    private let owner: ScopedPoolUnderTest
    private let state = Lock(State())

    init(_ request: UseRequest, number: Int, owner: ScopedPoolUnderTest) {
        self.request = request
        self.number = number
        self.owner = owner
    }

    private var now: MonotonicInstant { owner.runtime.now }

    /// - Returns: what it came to; its times are added to the completion.
    func end(_ completion: inout Completion) -> AttemptResult {
        let now = now
        return state.withLock { state in
            state.calls.end(now)
            completion.absorb(state.calls, attempt: number)
            return AttemptResult(results: state.results, failure: state.failure)
        }
    }

    func run() async {
        begin()
        await owner.onOwnersThreads { [self] in
            do {
                try await owner.pool.withConnection { [self] in try await work(on: $0) }
                noteReturn()
            } catch {
                note(error)
            }
        }
    }

    /// Borrows, and keeps the connection until the pool is closed. Returns when it has it, or cannot get it.
    func leak() async {
        begin()
        let isSettled = OneTimeGate()
        Task.detached { [self] in
            do {
                try await owner.pool.withConnection { [self] connection in
                    let lease = try await take(connection)
                    isSettled.open()
                    await owner.leaksEnd.pass()
                    owner.takeBack(lease: lease)
                }
            } catch {
                note(error)
            }
            isSettled.open()
        }
        await isSettled.pass()
    }

    private func begin() {
        let now = now
        state.withLock { $0.calls.begin(now) }
        request.cancelSwitch?.reach(.queue, gauges: { [owner] in owner.gauges })
    }

    // MARK: Around the work

    /// The pool threw. What had happened inside the work counts before it.
    private func note(_ error: any Error) {
        state.withLock { state in
            guard state.failure == nil else { return }
            // Over when the work was: then it is the giving back that failed, and the use was done.
            let phase: OperationPhase = state.isDone ? .release : state.hasConnection ? .query : .acquire
            state.failure = owner.failure(error, during: phase, request)
        }
    }

    private func noteReturn() {
        state.withLock { state in
            guard !state.isDone else { return }
            state.failure = UseFailure(
                .protocolViolation, during: .acquire,
                message: "withConnection returned without having run what it was given", requestSent: false, request)
        }
    }

    /// The connection is there.
    ///
    /// - Returns: the lease's number.
    private func take(_ connection: any ScopedConnection) async throws -> Int {
        let now = now
        state.withLock { state in
            state.calls.endAcquire(now)
            state.hasConnection = true
            // A pool that runs the work anew has swallowed what came of it before.
            state.failure = nil
            state.isDone = false
        }
        let pid: Int
        if let told = connection.backendPID {
            pid = told
        } else {
            do {
                let rows = try await connection.execute(Self.askPID).rows
                pid = rows.first?.first?.intValue.map { Int(clamping: $0) } ?? -1
            } catch {
                // Nothing of the operation was sent.
                fail(error, during: .begin)
                throw error
            }
        }
        let (number, lease) = owner.lend(pid: pid, to: request.site)
        state.withLock { $0.calls.note(connection: number, backendPID: pid) }
        return lease
    }

    private func fail(_ error: any Error, during phase: OperationPhase) {
        let failure = owner.failure(error, during: phase, request)
        state.withLock { $0.failure = failure }
    }

    private func work(on connection: any ScopedConnection) async throws {
        let lease = try await take(connection)
        defer {
            let now = now
            state.withLock { state in
                state.calls.beginRelease(now)
                state.isDone = true
            }
            owner.takeBack(lease: lease)
        }
        do {
            let results = try await behave(on: connection)
            state.withLock { $0.results = results }
        } catch let stopped as ClientStopped {
            state.withLock { state in
                state.results = stopped.results
                state.failure = stopped.failure(request)
            }
            throw stopped
        } catch let failed as FailedCall {
            fail(failed.error, during: failed.phase)
            throw failed.error
        } catch {
            // A pause of the client's own was cancelled.
            state.withLock { state in
                state.failure = UseFailure(
                    .cancelled, during: .query, message: "the client was cancelled", requestSent: true, request)
            }
            throw CancellationError()
        }
    }

    // MARK: The work

    /// The operation, and what its client does beside it.
    private func behave(on connection: any ScopedConnection) async throws -> [SQLResult] {
        let behaviour = request.behaviour ?? UseBehaviour()
        if behaviour.isNested { await borrowAnother() }
        let results: [SQLResult]
        if behaviour.abandons == .transaction {
            results = try await leaveOpen(on: connection)
            if !request.isReadOnly { throw ClientStopped(reason: .abandonedTransaction, results: results) }
        } else {
            results =
                request.isTransaction
                ? try await transaction(on: connection, throwsInside: behaviour.throwsInside)
                : try await steps(on: connection, phase: .query)
        }
        await leave(behaviour.residue, number: behaviour.number, on: connection)
        let hold = behaviour.hold + request.hold
        if behaviour.hold > .zero { note("held_ns", JSONValue(behaviour.hold.nanoseconds)) }
        if hold > .zero { try await owner.runtime.sleep(until: now.advanced(by: hold)) }
        // In a transaction it was thrown before COMMIT.
        if behaviour.throwsInside {
            note("throw", true)
            throw ClientStopped(reason: .threw, results: results)
        }
        request.cancelSwitch?.reach(.release)
        return results
    }

    private func transaction(on connection: any ScopedConnection, throwsInside: Bool) async throws -> [SQLResult] {
        request.cancelSwitch?.reach(.begin)
        let results: [SQLResult]
        do {
            _ = try await call(owner.options.begin, on: connection, phase: .begin)
            results = try await steps(on: connection, phase: .query)
            if throwsInside {
                note("throw", true)
                throw ClientStopped(reason: .threw, results: results)
            }
        } catch {
            // As every client does, also one that was cancelled: in a task of its own, where the cancel does not reach.
            await Task { _ = try? await connection.execute(.rollback) }.value
            throw error
        }
        request.cancelSwitch?.reach(.commit)
        _ = try await call(.commit, on: connection, phase: .commit)
        return results
    }

    /// BEGIN, the steps, and no end.
    private func leaveOpen(on connection: any ScopedConnection) async throws -> [SQLResult] {
        request.cancelSwitch?.reach(.begin)
        _ = try await call(owner.options.begin, on: connection, phase: .begin)
        note("abandon", "transaction")
        // It will not be committed, whatever becomes of the statements.
        return try await steps(on: connection, phase: .begin)
    }

    private func steps(on connection: any ScopedConnection, phase: OperationPhase) async throws -> [SQLResult] {
        var results: [SQLResult] = []
        for (index, step) in request.steps(number).enumerated() {
            if index > 0, request.pause > .zero {
                try await owner.runtime.sleep(until: now.advanced(by: request.pause))
            }
            request.cancelSwitch?.reach(.query)
            results.append(try await call(step, on: connection, phase: phase))
        }
        request.cancelSwitch?.reach(.result)
        return results
    }

    private func call(
        _ statement: SQLStatement, on connection: any ScopedConnection, phase: OperationPhase
    ) async throws -> SQLResult {
        let startedAt = now
        defer {
            let took = startedAt.duration(to: now)
            state.withLock { $0.calls.addQuery(took) }
        }
        do { return try await connection.execute(statement) } catch { throw FailedCall(phase: phase, error: error) }
    }

    /// Asks for a second connection while it holds one. Not for long: all clients may do so at once, and then none gets one.
    private func borrowAnother() async {
        note("nested", true)
        let asking = Task { [owner] in
            try await owner.pool.withConnection { _ = try await $0.execute(SQLStatement("SELECT 1", role: .read)) }
        }
        let (runtime, limit) = (owner.runtime, now.advanced(by: owner.options.acquireTimeout / 4))
        let watch = runtime.run(near: -1) {
            if (try? await runtime.sleep(until: limit)) != nil { asking.cancel() }
        }
        _ = try? await asking.value
        watch.cancel()
    }

    /// What fails here was the client's own affair, and its operation is over.
    private func leave(_ residue: [Residue], number: Int64, on connection: any ScopedConnection) async {
        var left: [JSONValue] = []
        for kind in residue where (try? await connection.execute(kind.statement(number: number))) != nil {
            left.append(.string(kind.rawValue))
        }
        if !left.isEmpty { note("residue", .array(left)) }
    }

    private func note(_ name: String, _ value: JSONValue) { state.withLock { $0.calls.note(name, value) } }
}

/// A call on the connection that failed, and in which phase of the use.
private struct FailedCall: Error {
    let phase: OperationPhase
    let error: any Error
}
