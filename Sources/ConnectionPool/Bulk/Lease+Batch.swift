import RigModel
public import Threading

extension Lease {
    /// Runs several statements with as few round trips as the database can, within the pool's statement timeout for all of
    /// them together. An error that proves the connection dead makes the pool look after the others at once.
    ///
    /// - Returns: a result for each statement, in order.
    public func execute(
        batch: [SQLStatement], atomicity: BatchAtomicity, deadline: MonotonicInstant = .distantFuture
    ) async -> [Result<SQLResult, DriverError>] {
        guard let first = batch.first else { return [] }
        let limit = core.statementLimit(deadline)
        var results: [Result<SQLResult, DriverError>]
        if let watcher = core.watcher, watcher.interest.contains(.statements) {
            var seen = beginObservation(of: first, count: batch.count)
            results = await connection.execute(batch: batch, atomicity: atomicity, deadline: limit)
            for case .success(let result) in results {
                seen.rows += result.rows.count
                seen.affectedRows += result.affectedRows
            }
            seen.error = results.lazy.compactMap(\.failure).first
            tell(&seen, to: watcher)
        } else {
            results = await connection.execute(batch: batch, atomicity: atomicity, deadline: limit)
        }
        if let loss = results.lazy.compactMap(\.failure).first(where: \.provesLoss) { noteLoss(loss) }
        return results
    }
}

extension Result where Failure == DriverError {
    var failure: DriverError? { if case .failure(let error) = self { error } else { nil } }
}
