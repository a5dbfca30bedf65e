import ConnectionPool
package import RigModel

/// Moves money between two accounts in one transaction. Half a transfer changes the total, which must not happen.
package struct TransferOperation: Operation {
    package static let shape = Shape(
        name: "transfer", summary: "move money between two accounts (one transaction, not idempotent)")

    package init() {}

    package func plan(_ context: inout OperationContext) -> PlannedOperation { Self.plan(&context, pause: .zero) }

    /// - Parameter pause: between the two changes.
    static func plan(_ context: inout OperationContext, pause: Duration) -> PlannedOperation {
        let from = Int.random(in: 0..<context.schema.accountCount, using: &context.generator)
        let step = Int.random(in: 1..<context.schema.accountCount, using: &context.generator)
        let to = (from + step) % context.schema.accountCount
        let amount = Int.random(in: 1...5, using: &context.generator)
        let schema = context.schema
        // Always in the order of the ids: two transfers must not wait for each other.
        let changes = [(account: from, amount: -amount), (account: to, amount: amount)].sorted {
            $0.account < $1.account
        }
        let first = schema.deposit(changes[0].amount, to: changes[0].account, isLast: false)
        let last = schema.deposit(changes[1].amount, to: changes[1].account, isLast: true)
        var request = UseRequest(isTransaction: true, site: .here()) { _ in [first, last] }
        request.pause = pause
        return PlannedOperation(
            value: ["from": JSONValue(from), "to": JSONValue(to), "amount": JSONValue(amount)], request: request)
    }
}
