import RigModel
import Threading

extension Lease {
    /// Makes a call of the driver's own that ``DriverConnection`` does not have, such as COPY, so that the pool learns of a
    /// loss and its watchers of the call. The pool's statement timeout does not bound it: such calls may be long.
    ///
    /// - Parameters:
    ///   - statement: what watchers are shown.
    ///   - affectedRows: the number of rows that watchers are shown, out of the result.
    /// - Throws: what `body` throws.
    public func call<R>(
        showing statement: SQLStatement, affectedRows: (R) -> Int = { _ in 0 },
        _ body: (D.Connection) async throws -> R
    ) async throws -> R {
        var seen: StatementObservation?
        if let watcher = core.watcher, watcher.interest.contains(.statements) {
            seen = beginObservation(of: statement, count: 1)
        }
        do {
            let result = try await body(connection)
            seen?.affectedRows = affectedRows(result)
            tellCall(seen)
            return result
        } catch {
            seen?.error = error as? DriverError
            tellCall(seen)
            if let error = error as? DriverError, error.provesLoss { noteLoss(error) }
            throw error
        }
    }

    private func tellCall(_ seen: StatementObservation?) {
        guard var seen, let watcher = core.watcher else { return }
        tell(&seen, to: watcher)
    }
}
