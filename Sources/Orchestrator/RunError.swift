/// Why a run ended without a verdict. Each case has the exit code, as in README.md.
package enum RunError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Usage or scenario: nothing was started.
    case usage(String)
    /// The machine lacks something; says what, and how to get it.
    case missing(String)
    /// Something could not be started, healed or cleaned up.
    case cannotProceed(String)
    case internalFailure(String)

    package var exitCode: Int32 {
        switch self {
        case .usage: 2
        case .missing: 3
        case .cannotProceed: 5
        case .internalFailure: 70
        }
    }

    package var description: String {
        switch self {
        case .usage(let text), .missing(let text), .cannotProceed(let text), .internalFailure(let text): text
        }
    }
}
