import RigModel
public import Threading

extension DriverConnection {
    /// A batch for a database without round trips to save: one statement after the other. All or nothing is a transaction
    /// around them, unless one is open already.
    ///
    /// - Parameter begin: what opens that transaction.
    public func executeInTurn(
        _ batch: [SQLStatement], atomicity: BatchAtomicity, begin: SQLStatement, deadline: MonotonicInstant
    ) async -> [Result<SQLResult, DriverError>] {
        guard atomicity == .allOrNothing, transactionStatus == .idle else {
            return await executeEach(batch, stopsAtFailure: atomicity == .allOrNothing, deadline: deadline)
        }
        do throws(DriverError) {
            _ = try await execute(begin, deadline: deadline)
            var results = await executeEach(batch, stopsAtFailure: true, deadline: deadline)
            if let failed = results.firstIndex(where: { (try? $0.get()) == nil }) {
                _ = try? await execute(.rollback, deadline: deadline)
                for index in 0..<failed { results[index] = .failure(.rolledBack(with: failed)) }
                return results
            }
            _ = try await execute(.commit, deadline: deadline)
            return results
        } catch {
            return batch.map { _ in .failure(error) }
        }
    }

    private func executeEach(
        _ batch: [SQLStatement], stopsAtFailure: Bool, deadline: MonotonicInstant
    ) async -> [Result<SQLResult, DriverError>] {
        var results: [Result<SQLResult, DriverError>] = []
        for statement in batch {
            do throws(DriverError) {
                results.append(.success(try await execute(statement, deadline: deadline)))
            } catch {
                results.append(.failure(error))
                guard stopsAtFailure || transactionStatus == .unusable else { continue }
                let failed = results.count - 1
                results += batch.dropFirst(results.count).map { _ in .failure(.notRun(after: failed)) }
                break
            }
        }
        return results
    }
}

extension DriverError {
    /// A statement of a batch that was applied, and undone because a later one failed.
    public static func rolledBack(with failed: Int) -> DriverError {
        DriverError(
            .server(sqlState: "25P02"), "item \(failed) of the batch failed, so this one was rolled back with it")
    }

    /// A statement of a batch that was never run, because an earlier one failed.
    public static func notRun(after failed: Int) -> DriverError {
        DriverError(
            .server(sqlState: "25P02"), "item \(failed) of the batch failed, so this one was not run",
            requestSent: false)
    }
}
