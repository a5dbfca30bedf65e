package import RigModel

/// Every kind of operation. A new kind is one file and one line here.
package enum OperationCatalogue {
    package static let all: [any Operation.Type] = [
        AppendOperation.self, AppendTransactionOperation.self, ReadOperation.self, ReadRowOperation.self,
        ReadLargeOperation.self, TransferOperation.self, PausingTransferOperation.self, LeakOperation.self,
    ]

    package static var shapes: [Shape] { all.map { $0.shape } }

    /// The operation of this name, or `nil`.
    package static func make(_ name: String) -> (any Operation)? { all.first { $0.shape.name == name }?.init() }
}
