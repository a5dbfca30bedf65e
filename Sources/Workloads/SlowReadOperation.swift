import ConnectionPool
package import RigModel

/// A read that takes a second on the server: who gives it up leaves a statement behind that still runs.
package struct SlowReadOperation: Operation {
    package static let shape = Shape(
        name: "slow-read",
        summary: "select one account, which takes the server 1 s (autocommit, idempotent; PostgreSQL)")

    private static let time = Duration.seconds(1)

    package init() {}

    package func plan(_ context: inout OperationContext) -> PlannedOperation {
        ReadOperation.plan(&context, time: Self.time)
    }
}
