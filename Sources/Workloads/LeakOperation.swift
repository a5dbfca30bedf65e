import ConnectionPool
package import RigModel

/// Borrows a connection and never returns it: a defect on purpose, to see the rig turn red.
package struct LeakOperation: Operation {
    package static let shape = Shape(
        name: "leak", summary: "borrow a connection and never return it (a defect on purpose)")

    package init() {}

    package func plan(_ context: inout OperationContext) -> PlannedOperation {
        PlannedOperation(value: .null, request: UseRequest(leaks: true, site: .here()) { _ in [] })
    }
}
