import RigModel

extension Verdict {
    /// One column wide, for where colour is not enough.
    var sign: String {
        switch self {
        case .valid: "✓"
        case .unknown: "?"
        case .invalid: "✗"
        }
    }
}
