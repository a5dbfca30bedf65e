import ConnectionPool
package import RigModel

/// Looks at what is on the connection that it was lent: whatever a former borrower left there.
package struct InspectOperation: Operation {
    package static let shape = Shape(
        name: "inspect",
        summary: "look for what a former borrower left on the connection (autocommit, idempotent; PostgreSQL)")

    package init() {}

    package func plan(_ context: inout OperationContext) -> PlannedOperation {
        var request = UseRequest(isIdempotent: true, isReadOnly: true, site: .here()) { _ in
            [ConnectionInspection.begin, ConnectionInspection.look]
        }
        request.isInspection = true
        return PlannedOperation(
            value: .null, request: request, notes: { [.init("found", ConnectionInspection.found(in: $0))] })
    }
}
