import ConnectionPool
package import RigModel

/// Listens on a channel of its own, wakes itself, and stops listening: the notification arrives on a connection that is in use,
/// or that nobody uses any more.
package struct ListenOperation: Operation {
    package static let shape = Shape(
        name: "listen", summary: "LISTEN, NOTIFY and UNLISTEN on a channel of its own (autocommit; PostgreSQL)")

    package init() {}

    package func plan(_ context: inout OperationContext) -> PlannedOperation {
        let channel = "\(context.schema.prefix)_\(context.id.rawValue)"
        return PlannedOperation(
            value: ["channel": .string(channel)],
            request: UseRequest(isIdempotent: true, isReadOnly: true, wantsRows: false, site: .here()) { _ in
                ["LISTEN", "NOTIFY", "UNLISTEN"].map { SQLStatement("\($0) \(channel)", role: .read) }
            })
    }
}
