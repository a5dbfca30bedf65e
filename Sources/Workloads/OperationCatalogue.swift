package import RigModel

/// Every kind of operation. A new kind is one file and one line here.
package enum OperationCatalogue {
    package static let all: [any Operation.Type] = [
        AppendOperation.self, AppendTransactionOperation.self, ReadOperation.self, ReadRowOperation.self,
        ReadLargeOperation.self, TransferOperation.self, PausingTransferOperation.self, RegisterOperation.self,
        InspectOperation.self, ListenOperation.self, SlowReadOperation.self, LeakOperation.self,
    ]

    /// The kinds that an embedded database cannot do.
    package static let needServer: Set<String> = Set(
        [InspectOperation.shape, ListenOperation.shape, SlowReadOperation.shape].map(\.name))

    /// The kinds that work in a transaction.
    package static let inTransaction: Set<String> = Set(
        [AppendTransactionOperation.shape, TransferOperation.shape, PausingTransferOperation.shape].map(\.name))

    /// The kinds whose clients never end their use in another way (``BehaviourPlan``).
    package static let steady: Set<String> = Set([InspectOperation.shape, LeakOperation.shape].map(\.name))

    package static var shapes: [Shape] { all.map { $0.shape } }

    /// The operation of this name, or `nil`.
    package static func make(_ name: String) -> (any Operation)? { all.first { $0.shape.name == name }?.init() }
}
