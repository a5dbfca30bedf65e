package import RigModel

/// Draws kinds of operations by weight. Pure.
package struct OperationMix: Sendable {
    private let kinds: [(operation: any Operation, name: String, upTo: Double)]
    private let total: Double

    /// - Parameter shares: kinds and weights; kinds with weight 0 are left out. At least one weight is positive.
    package init(_ shares: [(operation: any Operation, weight: Double)]) {
        var sum = 0.0
        let drawn = shares.filter { $0.weight > 0 }
        precondition(!drawn.isEmpty, "a workload needs at least one kind of operation with a weight above 0")
        kinds = drawn.map { share in
            sum += share.weight
            return (share.operation, type(of: share.operation).shape.name, sum)
        }
        total = sum
    }

    /// The names of the kinds, for the check that each of them succeeded.
    package var names: [String] { kinds.map(\.name) }

    package func draw(_ generator: inout SeededGenerator) -> (operation: any Operation, name: String) {
        let point = generator.nextUnit() * total
        let kind = kinds.first { point < $0.upTo } ?? kinds[kinds.count - 1]
        return (kind.operation, kind.name)
    }
}
