import ConnectionPool
package import RigModel

/// Reads one account with all its columns, by a prepared statement as every mapper of objects does. May be done twice without
/// harm.
package struct ReadRowOperation: Operation {
    package static let shape = Shape(
        name: "read-row", summary: "select all columns of one account (SELECT *, autocommit, idempotent)")

    package init() {}

    package func plan(_ context: inout OperationContext) -> PlannedOperation {
        let account = Int.random(in: 0..<context.schema.accountCount, using: &context.generator)
        let schema = context.schema
        return PlannedOperation(
            value: ["account": JSONValue(account)],
            request: UseRequest(isIdempotent: true, isReadOnly: true, site: .here()) { _ in [schema.row(of: account)] },
            okValue: { results in
                let row = results.first?.rows.first ?? []
                return [
                    "account": JSONValue(account), "columns": JSONValue(row.count),
                    "balance": JSONValue(row.dropFirst().first?.intValue.map(Int.init)),
                ]
            })
    }
}
