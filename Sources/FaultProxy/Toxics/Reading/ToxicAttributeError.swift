/// A value that an attribute of a toxic cannot have.
package struct ToxicAttributeError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Its name; `attributes` when the whole object is meant.
    package var attribute: String
    /// For example `a whole number from 0`.
    package var expected: String
    package var seen: String

    package var description: String { "\(attribute): expected \(expected), saw \(seen)" }
}
