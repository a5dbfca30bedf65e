import RigModel
public import Threading

extension Lease {
    /// BEGIN, `body`, COMMIT on this connection. When it throws, the transaction may still be open: release the lease.
    ///
    /// - Parameter inquirer: learns the transaction's number before COMMIT, for ``Pool/becameOf(_:deadline:site:)``.
    /// - Throws: ``PhasedError`` when BEGIN or COMMIT failed; ``CommitInDoubt`` when COMMIT may have been done, and `inquirer`
    ///   can ask about it; whatever `body` throws.
    public func inTransaction<R>(
        begin: SQLStatement, deadline: MonotonicInstant, inquirer: (any CommitInquirer)? = nil,
        _ body: (borrowing Lease<D>) async throws -> R
    ) async throws -> R {
        try await self.begin(begin, deadline: deadline)
        let result = try await body(self)
        var id: String?
        if let inquirer { id = try await transactionID(inquirer, deadline: deadline) }
        guard let error = await commitFailure(deadline: deadline) else { return result }
        let outcome = OutcomeTable.outcome(
            of: error.cause, during: .commit, requestSent: error.requestSent, inTransaction: true, readOnly: false)
        if let id, outcome == .info { throw CommitInDoubt(error: error, transactionID: id) }
        throw PhasedError(phase: .commit, error: error)
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
