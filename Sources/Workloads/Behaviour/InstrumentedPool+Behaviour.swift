import ConnectionPool
import RigModel
import Threading

/// The thin part of the behaviours: what was drawn is done on the lease.
extension InstrumentedPool {
    /// One operation, and what its client does beside it.
    func behave(
        _ request: UseRequest, number: Int, on lease: borrowing Lease<D>, _ calls: inout CallTimes
    ) async throws -> [SQLResult] {
        let behaviour = request.behaviour ?? UseBehaviour()
        if behaviour.isNested { await borrowAnother(request, &calls) }
        let results: [SQLResult]
        if behaviour.abandons == .transaction {
            results = try await leaveOpen(request, number: number, on: lease, &calls)
            if !request.isReadOnly { throw ClientStopped(reason: .abandonedTransaction, results: results) }
        } else {
            do { results = try await run(request, number: number, on: lease, &calls) } catch let stopped
                as ClientStopped
            {
                calls.note("throw", true)
                throw stopped
            }
        }
        await leave(behaviour, on: lease, &calls)
        if behaviour.hold > .zero { await hold(behaviour.hold, &calls) }
        // In a transaction it was thrown before COMMIT.
        if behaviour.throwsInside {
            calls.note("throw", true)
            throw ClientStopped(reason: .threw, results: results)
        }
        request.cancelSwitch?.reach(.release)
        return results
    }

    /// Asks for a second connection while it holds one. Not for long: all clients may do so at once, and then none gets one.
    private func borrowAnother(_ request: UseRequest, _ calls: inout CallTimes) async {
        calls.note("nested", true)
        let limit = pool.runtime.now.advanced(by: pool.configuration.acquireTimeout / 4)
        _ = try? await pool.withConnection(deadline: limit, site: request.site) { lease in
            try await lease.execute(SQLStatement("SELECT 1", role: .read))
        }
    }

    /// BEGIN, the steps, and no end.
    private func leaveOpen(
        _ request: UseRequest, number: Int, on lease: borrowing Lease<D>, _ calls: inout CallTimes
    ) async throws -> [SQLResult] {
        do throws(DriverError) {
            request.cancelSwitch?.reach(.begin)
            let startedAt = pool.runtime.now
            defer { calls.addQuery(startedAt.duration(to: pool.runtime.now)) }
            _ = try await lease.execute(begin)
        } catch {
            throw PhasedError(phase: .begin, error: error)
        }
        calls.note("abandon", "transaction")
        do {
            return try await run(request.steps(number), request, on: lease, &calls)
        } catch let error as DriverError {
            // It will not be committed, whatever became of the statement.
            throw PhasedError(phase: .begin, error: error)
        }
    }

    /// What fails here was the client's own affair, and its operation is over.
    private func leave(_ behaviour: UseBehaviour, on lease: borrowing Lease<D>, _ calls: inout CallTimes) async {
        if behaviour.abandons == .result, let abandonResult {
            calls.note("abandon", "result")
            try? await abandonResult(lease, pool.runtime.now.advanced(by: pool.configuration.statementTimeout))
        }
        var left: [JSONValue] = []
        for residue in behaviour.residue
        where (try? await lease.execute(residue.statement(number: behaviour.number))) != nil {
            left.append(.string(residue.rawValue))
        }
        if !left.isEmpty { calls.note("residue", .array(left)) }
    }

    private func hold(_ duration: Duration, _ calls: inout CallTimes) async {
        let startedAt = pool.runtime.now
        try? await pool.runtime.sleep(until: startedAt.advanced(by: duration))
        calls.note("held_ns", JSONValue(startedAt.duration(to: pool.runtime.now).nanoseconds))
    }
}
