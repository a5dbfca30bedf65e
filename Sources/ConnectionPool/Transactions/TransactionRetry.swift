import RigModel
public import Threading

/// When a transaction that failed is run again from its BEGIN. Pure.
///
/// It is run again only when it was certainly not applied: it failed before its COMMIT was sent, the server refused the
/// COMMIT, or the server says that it was rolled back. ``RetryPolicy`` decides whether that can help, and how long to wait.
public struct TransactionRetry: Sendable {
    private let policy: RetryPolicy
    private let startedAt: MonotonicInstant
    private let deadline: MonotonicInstant
    private var generator: SeededGenerator
    private var attempt = 0

    /// - Parameters:
    ///   - startedAt: when the first attempt began; the policy's budget counts from there.
    ///   - deadline: no attempt begins after it.
    ///   - seed: draws the pauses.
    public init(policy: RetryPolicy, startedAt: MonotonicInstant, deadline: MonotonicInstant, seed: UInt64) {
        self.policy = policy
        self.startedAt = startedAt
        self.deadline = deadline
        generator = SeededGenerator(seed: seed, stream: "transaction-retry")
    }

    /// An attempt has failed.
    ///
    /// - Returns: when the next one begins; `nil`: give up.
    public mutating func next(after error: any Error, now: MonotonicInstant) -> MonotonicInstant? {
        attempt += 1
        guard let failure = Self.failure(error) else { return nil }
        let delay = policy.delay(
            after: failure.outcome, cause: failure.cause, attempt: attempt, isIdempotent: false,
            elapsed: startedAt.duration(to: now), generator: &generator)
        guard let at = delay.map(now.advanced(by:)), at < deadline else { return nil }
        return at
    }

    /// What an error out of a transaction says about its effect; `nil` for an error that no database made.
    static func failure(_ error: any Error) -> (outcome: Outcome, cause: FailureCause)? {
        switch error {
        case let error as PoolError: (.fail, error.cause)
        // Out of the body: without COMMIT the server rolls back.
        case let error as DriverError: (.fail, error.cause)
        case let error as PhasedError:
            (
                OutcomeTable.outcome(
                    of: error.error.cause, during: error.phase, requestSent: error.error.requestSent,
                    inTransaction: true, readOnly: false), error.error.cause
            )
        case let error as CommitInDoubt: (.info, error.error.cause)
        default: nil
        }
    }
}
