import ConnectionPool
package import RigModel

/// Reads one account. May be done twice without harm, so a pool may retry it whatever happened.
package struct ReadOperation: Operation {
    package static let shape = Shape(name: "read", summary: "select one account (autocommit, idempotent)")

    package init() {}

    package func plan(_ context: inout OperationContext) -> PlannedOperation {
        let account = Int.random(in: 0..<WorkloadSchema.accounts, using: &context.generator)
        let schema = context.schema
        return PlannedOperation(
            value: ["account": JSONValue(account)],
            request: UseRequest(isIdempotent: true, isReadOnly: true, site: .here()) { _ in
                [schema.balance(of: account)]
            },
            okValue: { results in
                [
                    "account": JSONValue(account),
                    "balance": JSONValue(results.first?.rows.first?.first?.intValue.map(Int.init)),
                ]
            })
    }
}
