import ConnectionPool
import RigModel
import Threading

/// Tries a use again as long as the policy says so, and writes down every attempt. Thread-safe.
final class RetryingUse: Sendable {
    private let policy: RetryPolicy
    private let generator: Lock<SeededGenerator>

    /// - Parameter seed: draws the pauses between retries.
    init(policy: RetryPolicy, seed: UInt64) {
        self.policy = policy
        generator = Lock(SeededGenerator(seed: seed, stream: "retry"))
    }

    /// - Parameters:
    ///   - onRetry: another attempt is about to begin.
    ///   - tryOnce: does the attempt of this number, from 1, and adds its times to the completion.
    func run(
        _ request: UseRequest, runtime: any PoolRuntime, onRetry: () -> Void,
        tryOnce: (_ number: Int, _ completion: inout Completion) async -> AttemptResult
    ) async -> UseReport {
        let startedAt = runtime.now
        var completion = Completion(attempt: 0)
        var attempts: [Attempt] = []
        while true {
            let number = attempts.count + 1
            let attempt = await tryOnce(number, &completion)
            // What this try was lent; a try without a connection leaves what an earlier one had.
            let wasLent = completion.attempt == number
            let (connection, leasedAt) = wasLent ? (completion.connection, completion.leasedAt) : (nil, nil)
            guard let failure = attempt.failure, failure.outcome != .ok else {
                if !attempts.isEmpty || attempt.failure != nil {
                    attempts.append(
                        Attempt(
                            number: number, outcome: .ok, error: attempt.failure?.description,
                            isIdempotent: request.isIdempotent, doubt: attempt.doubt, connection: connection,
                            leasedAt: leasedAt))
                }
                completion.attempts = attempts
                return UseReport(outcome: .ok, completion: completion, results: attempt.results)
            }
            let delay = generator.withLock { generator in
                policy.delay(
                    after: failure.outcome, cause: failure.cause, attempt: number, isIdempotent: request.isIdempotent,
                    elapsed: startedAt.duration(to: runtime.now), generator: &generator)
            }
            var ended = Attempt(
                number: number, outcome: failure.outcome, error: failure.description,
                isIdempotent: request.isIdempotent, doubt: attempt.doubt, connection: connection, leasedAt: leasedAt)
            if let delay, (try? await runtime.sleep(until: runtime.now.advanced(by: delay))) != nil {
                ended.delayNanoseconds = delay.nanoseconds
                attempts.append(ended)
                onRetry()
                continue
            }
            attempts.append(ended)
            completion.attempts = attempts
            completion.error = failure.description
            // One attempt of unknown outcome makes the whole unknown, whatever came later.
            let outcome = attempts.map(\.outcome).max() ?? .fail
            return UseReport(outcome: outcome, completion: completion)
        }
    }
}

/// What one attempt came to.
struct AttemptResult {
    var results: [SQLResult] = []
    /// With the outcome ok: a COMMIT without an answer that the server says was done.
    var failure: UseFailure?
    var doubt: CommitDoubt?
}
