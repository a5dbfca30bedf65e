/// Why a toxic on a command line cannot be read.
package struct ToxicWordsError: Error, Sendable, Equatable, CustomStringConvertible {
    package var words: String
    /// Characters in front of the place.
    package var offset: Int
    /// For example `a time such as 50ms or 2s`.
    package var expected: String
    package var seen: String
    /// The name that was probably meant.
    package var nearest: String?

    package var description: String {
        "toxic \"\(words)\", character \(offset + 1): expected \(expected), saw \(seen)"
            + (nearest.map { "; did you mean \"\($0)\"?" } ?? "")
    }
}
