/// Why there is no measurement.
package enum BenchError: Error, CustomStringConvertible {
    /// The command line makes no sense.
    case usage(String)
    /// This machine lacks something, a server for example.
    case missing(String)
    /// Something went wrong while it was measured.
    case failed(String)

    package var description: String {
        switch self {
        case .usage(let words), .missing(let words), .failed(let words): words
        }
    }

    /// See "Exit codes" in README.md.
    package var exitCode: Int32 {
        switch self {
        case .usage: 2
        case .missing: 3
        case .failed: 70
        }
    }
}
