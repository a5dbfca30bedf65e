/// The version of a PgBouncer program.
package struct PgBouncerVersion: Sendable, Comparable, CustomStringConvertible {
    package static let oldest = PgBouncerVersion(major: 1, minor: 18)

    package let major: Int
    package let minor: Int
    /// For example `1.18.0`.
    package let description: String

    private init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
        description = "\(major).\(minor)"
    }

    /// Reads what `pgbouncer --version` prints: `PgBouncer 1.18.0`, and further lines.
    ///
    /// - Returns: `nil` when that is not what it is.
    package init?(programOutput: String) {
        let words = programOutput.split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, words[0] == "PgBouncer" else { return nil }
        let parts = words[1].split(separator: ".").map { Int($0.prefix { $0.isNumber }) }
        guard parts.count >= 2, let major = parts[0], let minor = parts[1] else { return nil }
        self.major = major
        self.minor = minor
        description = String(words[1])
    }

    package static func < (left: PgBouncerVersion, right: PgBouncerVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    package static func == (left: PgBouncerVersion, right: PgBouncerVersion) -> Bool {
        (left.major, left.minor) == (right.major, right.minor)
    }
}
