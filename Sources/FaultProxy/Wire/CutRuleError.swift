/// What is wrong with a cut point that somebody wrote.
package struct CutRuleError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The key that it is about; empty when it is about the whole.
    package var key: String
    package var problem: String

    package init(_ key: String, _ problem: String) {
        self.key = key
        self.problem = problem
    }

    package var description: String { key.isEmpty ? "cut point: \(problem)" : "cut point: \(key): \(problem)" }
}
