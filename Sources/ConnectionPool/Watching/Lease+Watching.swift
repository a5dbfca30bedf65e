import RigModel
public import Threading

/// The calls of a watched lease. Each is outside the paths that run when nobody listens.
extension Lease {
    /// A call on the connection proved it dead.
    @usableFromInline
    func noteLoss(_ error: DriverError) {
        if let watcher = core.watcher, watcher.interest.contains(.leases) {
            watcher.connectionLost(observation, error)
        }
        core.noteLoss(handle)
    }

    @usableFromInline
    func tellEnd(_ watcher: any LeaseWatcher, _ end: LeaseEnd) {
        if watcher.interest.contains(.leases) { watcher.leaseEnded(observation, end) }
    }

    /// Runs a statement and tells the watcher how it went.
    @usableFromInline
    func executeWatched(
        _ statement: SQLStatement, deadline: MonotonicInstant, _ watcher: any LeaseWatcher
    ) async throws(DriverError) -> SQLResult {
        guard watcher.interest.contains(.statements) else {
            return try await connection.execute(statement, deadline: deadline)
        }
        var seen = beginObservation(of: statement, count: 1)
        do throws(DriverError) {
            let result = try await connection.execute(statement, deadline: deadline)
            seen.rows = result.rows.count
            seen.affectedRows = result.affectedRows
            tell(&seen, to: watcher)
            return result
        } catch {
            seen.error = error
            tell(&seen, to: watcher)
            throw error
        }
    }

    /// Gives back what nobody was told of.
    consuming func releaseUnwatched() {
        isReleased = true
        core.release(handle, connection.transactionStatus, affinity: connection.affinity)
    }

    var observation: LeaseObservation {
        LeaseObservation(
            connection: connectionNumber, backendPID: connection.backendPID, site: site, at: core.runtime.now)
    }

    func beginObservation(of statement: SQLStatement, count: Int) -> StatementObservation {
        StatementObservation(
            statement: statement, count: count, connection: connectionNumber, backendPID: connection.backendPID,
            site: site, startedAt: core.runtime.now, nanoseconds: 0)
    }

    func tell(_ seen: inout StatementObservation, to watcher: any LeaseWatcher) {
        seen.nanoseconds = seen.startedAt.duration(to: core.runtime.now).nanoseconds
        watcher.statementEnded(seen)
    }
}

extension Pool {
    /// Borrows, and tells the watcher how that went.
    @usableFromInline
    func acquireWatched(
        deadline: MonotonicInstant, site: BorrowSite, _ watcher: any LeaseWatcher
    ) async throws(PoolError) -> Lease<D> {
        let isTold = watcher.interest.contains(.leases)
        if isTold { watcher.acquireBegan(site, at: runtime.now) }
        do throws(PoolError) {
            var turn: Turn?
            let lent: Lent
            if let atOnce = core.lendAtOnce(deadline: deadline, site: site, turn: &turn) {
                lent = atOnce
            } else {
                lent = try await core.acquire(deadline: deadline, site: site, turn: turn)
            }
            let lease = Lease<D>(core: core, lent: lent, site: site)
            if isTold { watcher.leaseBegan(lease.observation) }
            return lease
        } catch {
            if isTold { watcher.acquireFailed(site, error, at: runtime.now) }
            throw error
        }
    }
}
