/// Why a fault could not be injected or healed.
package struct InjectionError: Error, Sendable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

extension FaultStage {
    /// The parts that a fault declared as needed; the run was refused without them.
    func needed<Part>(_ part: Part?, _ name: StagePart) throws -> Part {
        guard let part else { throw InjectionError("this target has no \(name.rawValue)") }
        return part
    }
}
