import ConnectionPool
package import RigModel

/// Reads one account. May be done twice without harm, so a pool may retry it whatever happened. It asks for a number of its own
/// to come back, so that somebody else's result does not pass for its own.
package struct ReadOperation: Operation {
    package static let shape = Shape(name: "read", summary: "select one account (autocommit, idempotent)")

    package init() {}

    package func plan(_ context: inout OperationContext) -> PlannedOperation { Self.plan(&context, time: nil) }

    /// - Parameter time: how long the statement takes on the server; `nil`: the statement time.
    static func plan(_ context: inout OperationContext, time: Duration?) -> PlannedOperation {
        let schema = context.schema
        let account = Int.random(in: 0..<schema.accountCount, using: &context.generator)
        let variant =
            schema.distinctStatements > 1
            ? Int.random(in: 0..<schema.distinctStatements, using: &context.generator) : 0
        let echo = context.id.rawValue
        return PlannedOperation(
            value: ["account": JSONValue(account)],
            request: UseRequest(isIdempotent: true, isReadOnly: true, site: .here()) { _ in
                [schema.balance(of: account, echo: echo, variant: variant, time: time)]
            },
            okValue: { results in
                [
                    "account": JSONValue(account),
                    "balance": JSONValue(results.first?.rows.first?.first?.intValue.map(Int.init)),
                ]
            }, notes: { Echo.notes(sent: echo, $0.first?.rows.first) })
    }
}
