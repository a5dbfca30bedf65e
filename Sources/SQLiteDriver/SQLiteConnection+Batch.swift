package import ConnectionPool
import RigModel
package import Threading

extension SQLiteConnection {
    /// Runs several statements with one change of thread, or none where the caller is on the driver's threads.
    ///
    /// All or nothing: inside `BEGIN IMMEDIATE … COMMIT`, or inside a savepoint where a transaction is open; the first
    /// failure undoes all, also when the task is cancelled. Independent: each commits on its own, unless a transaction is
    /// open.
    package func execute(
        batch: [SQLStatement], atomicity: BatchAtomicity, deadline: MonotonicInstant
    ) async -> [Result<SQLResult, DriverError>] {
        do throws(DriverError) {
            return try await session.threads.run { () async throws(DriverError) in
                switch atomicity {
                case .independent: await self.session.runEach(batch, deadline: deadline)
                case .allOrNothing: await self.session.runTogether(batch, deadline: deadline)
                }
            }
        } catch {
            return batch.map { _ in .failure(error) }
        }
    }
}

extension SQLiteSession {
    fileprivate func runEach(
        _ batch: [SQLStatement], deadline: MonotonicInstant
    ) async -> [Result<SQLResult, DriverError>] {
        var results: [Result<SQLResult, DriverError>] = []
        results.reserveCapacity(batch.count)
        for statement in batch { results.append(await result(of: statement, deadline: deadline)) }
        return results
    }

    fileprivate func runTogether(
        _ batch: [SQLStatement], deadline: MonotonicInstant
    ) async -> [Result<SQLResult, DriverError>] {
        if batch.isEmpty { return [] }
        let bracket = transactionStatus == .inTransaction ? Bracket.savepoint : .transaction
        if case .failure(var error) = await result(of: bracket.begin, deadline: deadline) {
            error.requestSent = false
            return batch.map { _ in .failure(error) }
        }
        var results: [Result<SQLResult, DriverError>] = []
        results.reserveCapacity(batch.count)
        for statement in batch {
            let result = await result(of: statement, deadline: deadline)
            results.append(result)
            guard case .failure = result else { continue }
            await cleanUp { bracket.undo(on: $0) }
            let failed = results.count - 1
            for index in 0..<failed { results[index] = .failure(.rolledBack(with: failed)) }
            results += batch.dropFirst(results.count).map { _ in .failure(.notRun(after: failed)) }
            return results
        }
        if case .failure(let error) = await result(of: bracket.commit, deadline: deadline) {
            await cleanUp { bracket.undo(on: $0) }
            return batch.map { _ in .failure(error) }
        }
        return results
    }

    private func result(
        of statement: SQLStatement, deadline: MonotonicInstant
    ) async -> Result<SQLResult, DriverError> {
        do throws(DriverError) {
            return .success(try await executeHere(statement, deadline: deadline))
        } catch {
            return .failure(error)
        }
    }
}

/// What makes the statements of a batch one.
private enum Bracket {
    case transaction
    /// Inside the transaction of the caller, which goes on.
    case savepoint

    var begin: SQLStatement {
        switch self {
        case .transaction: SQLStatement("BEGIN IMMEDIATE", role: .begin)
        case .savepoint: SQLStatement("SAVEPOINT chaosrig_batch", role: .write)
        }
    }

    var commit: SQLStatement {
        switch self {
        case .transaction: .commit
        case .savepoint: SQLStatement("RELEASE chaosrig_batch", role: .write)
        }
    }

    /// Nothing is left to undo where SQLite has rolled back the whole transaction by itself.
    func undo(on handle: SQLiteHandle) {
        guard handle.transactionStatus == .inTransaction else { return }
        switch self {
        case .transaction: _ = try? handle.run(.rollback)
        case .savepoint:
            _ = try? handle.run(SQLStatement("ROLLBACK TO chaosrig_batch", role: .write))
            _ = try? handle.run(commit)
        }
    }
}
