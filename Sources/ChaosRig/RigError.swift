import Orchestrator
import ScenarioFile

/// Why there is no verdict. Each says what was expected, what was seen, and what to do.
public enum RigError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The scenario is wrong: one line for each problem, `file:line:column: message`. Nothing was started.
    case scenario(String)
    /// The scenario asks for what cannot be done with this pool or target. Nothing was started.
    case usage(String)
    /// This machine lacks something.
    case missing(String)
    /// Something could not be started, undone or cleaned up.
    case cannotProceed(String)
    /// A defect of the rig.
    case internalFailure(String)

    init(_ error: RunError) {
        switch error {
        case .usage(let text): self = .usage(text)
        case .missing(let text): self = .missing(text)
        case .cannotProceed(let text): self = .cannotProceed(text)
        case .internalFailure(let text): self = .internalFailure(text)
        }
    }

    public var description: String {
        switch self {
        case .scenario(let text), .usage(let text), .missing(let text), .cannotProceed(let text),
            .internalFailure(let text):
            text
        }
    }
}
