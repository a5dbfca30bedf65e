/// Why a history is not judged.
package struct HistoryError: Error, Sendable, Equatable, CustomStringConvertible {
    package let path: String
    /// From 1; `nil`: the whole file.
    package let line: Int?
    package let problem: String

    package var description: String { line.map { "\(path):\($0): \(problem)" } ?? "\(path): \(problem)" }
}
