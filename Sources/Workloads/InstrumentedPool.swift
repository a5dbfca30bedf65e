package import ConnectionPool
package import RigModel
import Threading

/// Our own pool as the pool under test: does each use, measures every call from outside, and follows the retry policy.
package final class InstrumentedPool<D: Driver>: PoolUnderTest {
    private let pool: Pool<D>
    private let policy: RetryPolicy
    private let begin: SQLStatement
    private let generator: Lock<SeededGenerator>
    private let leaked = Lock<[LeakedLease<D>]>([])

    /// - Parameters:
    ///   - begin: what opens a transaction; SQLite wants `BEGIN IMMEDIATE`.
    ///   - seed: draws the pauses between retries.
    package init(pool: Pool<D>, policy: RetryPolicy, begin: SQLStatement, seed: UInt64) {
        self.pool = pool
        self.policy = policy
        self.begin = begin
        generator = Lock(SeededGenerator(seed: seed, stream: "retry"))
    }

    package var gauges: PoolGauges { pool.gauges }

    package func metrics() -> [JSONValue.Member] {
        pool.metrics.members(lifetime: pool.createdAt.duration(to: pool.runtime.now))
    }

    package func openLeases() -> JSONValue {
        let now = pool.runtime.now
        return .array(
            pool.openLeases.map { lease, pid in
                [
                    "conn": JSONValue(lease.connection.serial), "pid": JSONValue(pid),
                    "site": JSONValue(lease.site?.description),
                    "held_ns": JSONValue(lease.since.duration(to: now).nanoseconds),
                ]
            })
    }

    package func close() async -> Int {
        let cut = await pool.close()
        // Their end calls the pool, so it must not come inside the lock.
        let ended = leaked.withLock { leaked in
            defer { leaked = [] }
            return leaked
        }
        withExtendedLifetime(ended) {}
        return cut
    }

    package func use(_ request: UseRequest) async -> UseReport {
        let startedAt = pool.runtime.now
        var completion = Completion(attempt: 0)
        var attempts: [Attempt] = []
        while true {
            let number = attempts.count + 1
            let attempt = await tryOnce(request, number: number, into: &completion)
            guard let failure = attempt.failure else {
                if !attempts.isEmpty {
                    attempts.append(Attempt(number: number, outcome: .ok, isIdempotent: request.isIdempotent))
                }
                completion.attempts = attempts
                return UseReport(outcome: .ok, completion: completion, results: attempt.results)
            }
            let delay = generator.withLock { generator in
                policy.delay(
                    after: failure.outcome, cause: failure.cause, attempt: number, isIdempotent: request.isIdempotent,
                    elapsed: startedAt.duration(to: pool.runtime.now), generator: &generator)
            }
            var ended = Attempt(
                number: number, outcome: failure.outcome, error: failure.description,
                isIdempotent: request.isIdempotent)
            if let delay, (try? await pool.runtime.sleep(until: pool.runtime.now.advanced(by: delay))) != nil {
                ended.delayNanoseconds = delay.nanoseconds
                attempts.append(ended)
                pool.countRetry()
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

    private struct AttemptResult {
        var results: [SQLResult] = []
        var failure: UseFailure?
    }

    private func tryOnce(
        _ request: UseRequest, number: Int, into completion: inout Completion
    ) async -> AttemptResult {
        var calls = CallTimes()
        calls.begin(pool.runtime.now)
        var result = AttemptResult()
        do {
            if request.leaks {
                let lease = try await pool.acquire(site: request.site)
                calls.endAcquire(pool.runtime.now)
                calls.note(connection: lease.connectionNumber, backendPID: lease.connection.backendPID)
                let kept = LeakedLease(lease)
                leaked.withLock { $0.append(kept) }
            } else {
                result.results = try await borrow(request, number: number, &calls)
            }
        } catch {
            result.failure = UseFailure(error, request)
        }
        calls.end(pool.runtime.now)
        completion.absorb(calls, attempt: number)
        return result
    }

    private func borrow(
        _ request: UseRequest, number: Int, _ calls: inout CallTimes
    ) async throws -> [SQLResult] {
        let lease = try await pool.acquire(site: request.site)
        calls.endAcquire(pool.runtime.now)
        calls.note(connection: lease.connectionNumber, backendPID: lease.connection.backendPID)
        do {
            let steps = request.steps(number)
            let results =
                request.isTransaction
                ? try await runTransaction(steps, on: lease, &calls) : try await run(steps, on: lease, &calls)
            calls.beginRelease(pool.runtime.now)
            lease.release()
            return results
        } catch {
            calls.beginRelease(pool.runtime.now)
            lease.release()
            throw error
        }
    }

    /// BEGIN and COMMIT are calls like the others: they are measured too.
    private func runTransaction(
        _ steps: [SQLStatement], on lease: borrowing Lease<D>, _ calls: inout CallTimes
    ) async throws -> [SQLResult] {
        var callBeganAt = pool.runtime.now
        defer { calls.addQuery(callBeganAt.duration(to: pool.runtime.now)) }
        return try await lease.inTransaction(begin: begin, deadline: .distantFuture) { lease in
            calls.addQuery(callBeganAt.duration(to: pool.runtime.now))
            defer { callBeganAt = pool.runtime.now }
            return try await run(steps, on: lease, &calls)
        }
    }

    private func run(
        _ steps: [SQLStatement], on lease: borrowing Lease<D>, _ calls: inout CallTimes
    ) async throws -> [SQLResult] {
        var results: [SQLResult] = []
        for step in steps {
            let startedAt = pool.runtime.now
            defer { calls.addQuery(startedAt.duration(to: pool.runtime.now)) }
            results.append(try await lease.execute(step))
        }
        return results
    }
}

/// Keeps a lease alive for good: what a program does that stores a connection and forgets it.
private final class LeakedLease<D: Driver>: Sendable {
    private let lease: Lease<D>
    init(_ lease: consuming Lease<D>) { self.lease = lease }
}
