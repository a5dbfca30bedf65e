package import ConnectionPool
package import RigModel
import Threading

/// Our own pool as the pool under test: does each use, measures every call from outside, and follows the retry policy.
package final class InstrumentedPool<D: Driver>: PoolUnderTest {
    private let pool: Pool<D>
    private let retrying: RetryingUse
    private let begin: SQLStatement
    /// For how long the server is asked what became of a COMMIT without an answer; `nil`: it is not asked.
    private let askAboutCommits: Duration?
    private let leaked = Lock<[LeakedLease<D>]>([])

    /// - Parameters:
    ///   - begin: what opens a transaction; SQLite wants `BEGIN IMMEDIATE`.
    ///   - askAboutCommits: for how long the server is asked what became of a COMMIT without an answer; `nil`: not at all.
    ///   - seed: draws the pauses between retries.
    package init(
        pool: Pool<D>, policy: RetryPolicy, begin: SQLStatement, askAboutCommits: Duration? = nil, seed: UInt64
    ) {
        self.askAboutCommits = askAboutCommits
        self.pool = pool
        self.begin = begin
        retrying = RetryingUse(policy: policy, seed: seed)
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
        await retrying.run(
            request, runtime: pool.runtime, onRetry: { pool.countRetry() },
            tryOnce: { number, completion in await tryOnce(request, number: number, into: &completion) })
    }

    private func tryOnce(
        _ request: UseRequest, number: Int, into completion: inout Completion
    ) async -> AttemptResult {
        var calls = CallTimes()
        calls.begin(pool.runtime.now)
        var result = AttemptResult()
        do {
            if request.leaks {
                let lease = try await pool.acquire(deadline: deadline(of: request), site: request.site)
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
        if let commit = result.failure?.doubtfulCommit { await resolve(commit, request, &result) }
        return result
    }

    private func deadline(of request: UseRequest) -> MonotonicInstant {
        request.acquireLimit.map { pool.runtime.now.advanced(by: $0) } ?? .distantFuture
    }

    /// The lease is back by now: asking may need its place in the pool.
    private func resolve(_ commit: DoubtfulCommit, _ request: UseRequest, _ result: inout AttemptResult) async {
        let doubt = commit.doubt
        let askedAt = pool.runtime.now
        let limit = askedAt.advanced(by: askAboutCommits ?? .zero)
        let end: CommitDoubt.End =
            switch await pool.becameOf(doubt, deadline: limit, site: request.site) {
            case .committed: .committed
            case .aborted: .aborted
            case .inProgress, .unknown, nil: .unknown
            }
        result.doubt = CommitDoubt(
            transactionID: doubt.transactionID, end: end,
            askedNanoseconds: askedAt.duration(to: pool.runtime.now).nanoseconds)
        switch end {
        case .committed:
            result.failure?.outcome = .ok
            result.results = commit.results
        case .aborted: result.failure?.outcome = .fail
        case .unknown: break
        }
    }

    private func borrow(
        _ request: UseRequest, number: Int, _ calls: inout CallTimes
    ) async throws -> [SQLResult] {
        let lease = try await pool.acquire(deadline: deadline(of: request), site: request.site)
        calls.endAcquire(pool.runtime.now)
        calls.note(connection: lease.connectionNumber, backendPID: lease.connection.backendPID)
        do {
            let steps = request.steps(number)
            let results =
                request.isTransaction
                ? try await runTransaction(steps, pause: request.pause, on: lease, &calls)
                : try await run(steps, pause: request.pause, on: lease, &calls)
            if request.hold > .zero { try await pool.runtime.sleep(until: pool.runtime.now.advanced(by: request.hold)) }
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
        _ steps: [SQLStatement], pause: Duration, on lease: borrowing Lease<D>, _ calls: inout CallTimes
    ) async throws -> [SQLResult] {
        var callBeganAt = pool.runtime.now
        defer { calls.addQuery(callBeganAt.duration(to: pool.runtime.now)) }
        let inquirer = askAboutCommits == nil ? nil : pool.driver.dialect.commitInquirer
        var results: [SQLResult] = []
        do {
            try await lease.inTransaction(begin: begin, deadline: .distantFuture, inquirer: inquirer) { lease in
                calls.addQuery(callBeganAt.duration(to: pool.runtime.now))
                defer { callBeganAt = pool.runtime.now }
                results = try await run(steps, pause: pause, on: lease, &calls)
            }
        } catch let doubt as CommitInDoubt {
            throw DoubtfulCommit(doubt: doubt, results: results)
        }
        return results
    }

    private func run(
        _ steps: [SQLStatement], pause: Duration, on lease: borrowing Lease<D>, _ calls: inout CallTimes
    ) async throws -> [SQLResult] {
        var results: [SQLResult] = []
        for (number, step) in steps.enumerated() {
            if number > 0, pause > .zero { try await pool.runtime.sleep(until: pool.runtime.now.advanced(by: pause)) }
            let startedAt = pool.runtime.now
            defer { calls.addQuery(startedAt.duration(to: pool.runtime.now)) }
            results.append(try await lease.execute(step))
        }
        return results
    }
}

/// A COMMIT without an answer, and what its transaction has read: good when it turns out to have been done.
struct DoubtfulCommit: Error {
    let doubt: CommitInDoubt
    let results: [SQLResult]
}

/// Keeps a lease alive for good: what a program does that stores a connection and forgets it.
private final class LeakedLease<D: Driver>: Sendable {
    private let lease: Lease<D>
    init(_ lease: consuming Lease<D>) { self.lease = lease }
}
