import ConnectionPool
package import RigModel

/// Writes a row with an id of its own in a transaction: BEGIN, INSERT, COMMIT. When the answer to COMMIT is lost, nobody knows
/// whether the row is there, unless the server is asked.
package struct AppendTransactionOperation: Operation {
    package static let shape = Shape(
        name: "append-transaction",
        summary: "insert a row with a unique id in a transaction (BEGIN, INSERT, COMMIT; not idempotent)")

    package init() {}

    package func plan(_ context: inout OperationContext) -> PlannedOperation {
        let id = context.id
        let schema = context.schema
        return PlannedOperation(
            value: JSONValue(id.rawValue),
            request: UseRequest(isTransaction: true, site: .here()) { attempt in
                [schema.append(id.withAttempt(attempt).rawValue)]
            })
    }
}
