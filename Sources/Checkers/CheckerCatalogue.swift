package import RigModel

/// Every invariant that a scenario may name. Adding one: its own file, and one line here.
package enum CheckerCatalogue {
    package static let all: [any Checker.Type] = [
        ZeroLeakedConnections.self,
        Recovery.self,
        RetryCorrectness.self,
        Timeouts.self,
    ]

    /// What the scenario file may say about each, in the order of the catalogue.
    package static var shapes: [Shape] { all.map { $0.shape } }

    /// A fresh checker, or `nil` when no invariant has this name.
    package static func make(_ name: String, _ parameters: Parameters) -> (any Checker)? {
        all.first { $0.shape.name == name }?.init(parameters)
    }
}
