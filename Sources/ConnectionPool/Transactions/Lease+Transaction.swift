import RigModel
public import Threading

extension Lease {
    /// BEGIN, `body`, COMMIT on this connection. When it throws, the transaction may still be open: release the lease.
    ///
    /// - Throws: ``PhasedError`` when BEGIN or COMMIT failed; whatever `body` throws.
    public func inTransaction<R>(
        begin: SQLStatement, deadline: MonotonicInstant, _ body: (borrowing Lease<D>) async throws -> R
    ) async throws -> R {
        try await self.begin(begin, deadline: deadline)
        let result = try await body(self)
        if let error = await commitFailure(deadline: deadline) { throw PhasedError(phase: .commit, error: error) }
        return result
    }

    func begin(_ statement: SQLStatement, deadline: MonotonicInstant) async throws(PhasedError) {
        do throws(DriverError) {
            _ = try await execute(statement, deadline: deadline)
        } catch {
            throw PhasedError(phase: .begin, error: error)
        }
    }

    /// Commits.
    ///
    /// - Returns: why that failed; `nil` when it is done.
    func commitFailure(deadline: MonotonicInstant) async -> DriverError? {
        do throws(DriverError) {
            _ = try await execute(.commit, deadline: deadline)
            return nil
        } catch {
            return error
        }
    }

    /// Asks for the number of the open transaction. A transaction that has failed has no number, and will not commit.
    ///
    /// - Returns: `nil` when it has written nothing so far.
    func transactionID(_ inquirer: any CommitInquirer, deadline: MonotonicInstant) async throws(PhasedError) -> String?
    {
        guard connection.transactionStatus == .inTransaction else { return nil }
        do throws(DriverError) {
            return inquirer.id(in: try await execute(inquirer.askID, deadline: deadline))
        } catch {
            throw PhasedError(phase: .query, error: error)
        }
    }
}
