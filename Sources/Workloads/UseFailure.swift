import ConnectionPool
import RigModel

/// Why an attempt failed, and what may be believed about it.
struct UseFailure {
    var outcome: Outcome
    let cause: FailureCause
    let description: FailureDescription
    /// The COMMIT may have been done, and the server can be asked.
    var doubtfulCommit: DoubtfulCommit?

    /// Translates whatever the pool threw, by the one outcome table.
    init(_ error: any Error, _ request: UseRequest) {
        let phase: OperationPhase
        let cause: FailureCause
        let message: String
        var requestSent = true
        var doubtfulCommit: DoubtfulCommit?
        switch error {
        case let error as PoolError: (phase, cause, message) = (.acquire, error.cause, error.description)
        case let error as PhasedError:
            (phase, cause, message) = (error.phase, error.error.cause, error.error.message)
            requestSent = error.error.requestSent
        case let error as DoubtfulCommit:
            let lost = error.doubt.error
            (phase, cause, message) = (.commit, lost.cause, lost.message)
            requestSent = lost.requestSent
            doubtfulCommit = error
        case let error as DriverError:
            (phase, cause, message) = (.query, error.cause, error.message)
            requestSent = error.requestSent
        default:
            // Nothing else can come out of a use; if it does, nothing may be concluded from it.
            (phase, cause, message) = (.query, .cancelled, "\(error)")
        }
        self.init(cause, during: phase, message: message, requestSent: requestSent, request)
        self.doubtfulCommit = doubtfulCommit
    }

    /// What came of it by the one outcome table.
    init(
        _ cause: FailureCause, during phase: OperationPhase, message: String, requestSent: Bool, _ request: UseRequest
    ) {
        self.cause = cause
        outcome = OutcomeTable.outcome(
            of: cause, during: phase, requestSent: requestSent, inTransaction: request.isTransaction,
            readOnly: request.isReadOnly)
        description = FailureDescription(phase: phase, failureClass: cause.name, code: cause.code, message: message)
    }

    /// The client stopped before its COMMIT.
    init(stopped reason: String) {
        cause = .cancelled
        outcome = .fail
        description = FailureDescription(
            phase: .commit, failureClass: reason, code: nil, message: "the client ended its use before COMMIT")
    }
}
