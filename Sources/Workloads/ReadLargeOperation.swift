import ConnectionPool
package import RigModel

/// Reads a large result: what passes through the sockets, and what a client must hold, is no longer small. May be done twice.
package struct ReadLargeOperation: Operation {
    package static let shape = Shape(
        name: "read-large", summary: "select a result of 8 MB (autocommit, idempotent)")

    private static let rows = 8
    private static let bytesPerRow = 1 << 20

    package init() {}

    package func plan(_ context: inout OperationContext) -> PlannedOperation {
        let statement = context.schema.large(rows: Self.rows, bytesPerRow: Self.bytesPerRow)
        return PlannedOperation(
            value: ["bytes": JSONValue(Self.rows * Self.bytesPerRow)],
            request: UseRequest(isIdempotent: true, isReadOnly: true, wantsRows: false, site: .here()) { _ in
                [statement]
            })
    }
}
