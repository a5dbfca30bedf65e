import RigModel

/// Something that is wrong with the parameters of a fault although each of them can be read: with them it could never land.
package struct ParameterProblem: Sendable, Equatable {
    /// Which one; `nil` where it is none of them alone.
    package var parameter: String?
    /// What was expected, and why.
    package var message: String

    package init(_ parameter: String? = nil, _ message: String) {
        self.parameter = parameter
        self.message = message
    }
}

/// What of a scenario's target decides whether parameters can work.
package struct TargetTraits: Sendable, Equatable {
    /// A pooler is in front, and lends each client a server connection for as long as it is connected.
    package var poolsBySession: Bool

    package init(poolsBySession: Bool = false) { self.poolsBySession = poolsBySession }
}

extension Parameters {
    /// Complains about those of these durations that are given as zero.
    func zeroProblems(_ names: String...) -> [ParameterProblem] {
        names.filter { duration($0) == .zero }.map { ParameterProblem($0, "more than 0s was expected") }
    }
}
