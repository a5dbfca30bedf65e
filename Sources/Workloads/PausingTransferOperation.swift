package import RigModel

/// A transfer that asks somebody else between its two changes, and keeps its transaction open meanwhile: the server sees a
/// session that is idle in transaction.
package struct PausingTransferOperation: Operation {
    private static let pause = Duration.milliseconds(100)

    package static let shape = Shape(
        name: "pausing-transfer",
        summary: "a transfer that is idle in its transaction for 100 ms between its two changes (not idempotent)")

    package init() {}

    package func plan(_ context: inout OperationContext) -> PlannedOperation {
        TransferOperation.plan(&context, pause: Self.pause)
    }
}
