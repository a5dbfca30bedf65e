import ConnectionPool
package import RigModel

/// Writes a row with an id of its own, in autocommit. The row carries the attempt, so a doubled one tells who wrote it.
package struct AppendOperation: Operation {
    package static let shape = Shape(
        name: "append", summary: "insert a row with a unique id (autocommit, not idempotent)")

    package init() {}

    package func plan(_ context: inout OperationContext) -> PlannedOperation {
        let id = context.id
        let schema = context.schema
        return PlannedOperation(
            value: JSONValue(id.rawValue),
            request: UseRequest(site: .here()) { attempt in [schema.append(id.withAttempt(attempt).rawValue)] })
    }
}
