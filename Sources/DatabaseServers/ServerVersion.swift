/// The version of a PostgreSQL server program.
package struct ServerVersion: Sendable, Equatable, CustomStringConvertible {
    /// For example 15.
    package let major: Int
    /// For example `15.18`, `18beta1`.
    package let description: String

    package static let supported = 13...18

    /// Reads what `postgres --version` prints: `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    ///
    /// - Returns: `nil` when that is not what it is.
    package init?(programOutput: String) {
        guard let mark = programOutput.firstRange(of: "(PostgreSQL) "),
            let word = programOutput[mark.upperBound...].split(whereSeparator: \.isWhitespace).first,
            let major = Int(word.prefix { $0.isNumber })
        else { return nil }
        self.major = major
        description = String(word)
    }
}
