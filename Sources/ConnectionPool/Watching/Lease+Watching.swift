import RigModel
package import Threading

/// The calls of a watched lease. Each is outside the paths that run when nobody listens.
extension Lease {
    @usableFromInline
    func tellBegin(_ watcher: any LeaseWatcher) {
        if watcher.interest.contains(.leases) { watcher.leaseBegan(observation) }
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

    private var observation: LeaseObservation {
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
