package import ConnectionPool
package import RigModel
package import Threading

/// Our own pool as the pool under test: does each use, measures every call from outside, and follows the retry policy.
package final class InstrumentedPool<D: Driver>: PoolUnderTest {
    let pool: Pool<D>
    private let retrying: RetryingUse
    let begin: SQLStatement
    /// For how long the server is asked what became of a COMMIT without an answer; `nil`: it is not asked.
    private let askAboutCommits: Duration?
    private let leaked = Lock<[LeakedLease<D>]>([])
    /// Begins to read a result and does not end it; `nil`: the database cannot.
    package typealias AbandonResult = @Sendable (borrowing Lease<D>, _ deadline: MonotonicInstant) async throws -> Void
    let abandonResult: AbandonResult?

    /// - Parameters:
    ///   - begin: what opens a transaction; SQLite wants `BEGIN IMMEDIATE`.
    ///   - askAboutCommits: for how long the server is asked what became of a COMMIT without an answer; `nil`: not at all.
    ///   - seed: draws the pauses between retries.
    package init(
        pool: Pool<D>, policy: RetryPolicy, begin: SQLStatement, askAboutCommits: Duration? = nil,
        seed: UInt64, abandonResult: AbandonResult? = nil
    ) {
        self.abandonResult = abandonResult
        self.askAboutCommits = askAboutCommits
        self.pool = pool
        self.begin = begin
        retrying = RetryingUse(policy: policy, seed: seed)
    }

    package var gauges: PoolGauges { pool.gauges }

    package func metrics() -> [JSONValue.Member] {
        let statements = pool.driver.statementCacheCounts
        return pool.metrics.members(lifetime: pool.createdAt.duration(to: pool.runtime.now)) + [
            .init("statementCacheHits", JSONValue(statements.hits)),
            .init("statementCacheMisses", JSONValue(statements.misses)),
        ]
    }

    package func durations() -> PoolDurations? {
        let metrics = pool.metrics
        var durations = PoolDurations()
        durations.acquireWait = metrics.acquireWait
        durations.lease = metrics.leaseDuration
        durations.connect = metrics.connectTime
        return durations
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
        if let cancelSwitch = request.cancelSwitch { cancelSwitch.reach(.queue, gauges: { [pool] in pool.gauges }) }
        var result = AttemptResult()
        do {
            if request.leaks {
                result.results = try await borrowForGood(request, number: number, &calls)
            } else {
                result.results = try await borrow(request, number: number, &calls)
            }
        } catch let stopped as ClientStopped {
            result.results = stopped.results
            result.failure = stopped.failure(request)
        } catch {
            result.failure = UseFailure(error, request)
        }
        calls.end(pool.runtime.now)
        completion.absorb(calls, attempt: number)
        if let commit = result.failure?.doubtfulCommit { await resolve(commit, request, &result) }
        return result
    }

    func deadline(of request: UseRequest) -> MonotonicInstant {
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
            let results =
                request.behaviour == nil && request.cancelSwitch == nil
                ? try await run(request, number: number, on: lease, &calls)
                : try await behave(request, number: number, on: lease, &calls)
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

    /// Does what is asked, and forgets to give the connection back.
    private func borrowForGood(
        _ request: UseRequest, number: Int, _ calls: inout CallTimes
    ) async throws -> [SQLResult] {
        let lease = try await pool.acquire(deadline: deadline(of: request), site: request.site)
        calls.endAcquire(pool.runtime.now)
        calls.note(connection: lease.connectionNumber, backendPID: lease.connection.backendPID)
        do {
            let results = try await run(request, number: number, on: lease, &calls)
            let kept = LeakedLease(lease)
            leaked.withLock { $0.append(kept) }
            return results
        } catch {
            calls.beginRelease(pool.runtime.now)
            lease.release()
            throw error
        }
    }

    /// The operation itself.
    func run(
        _ request: UseRequest, number: Int, on lease: borrowing Lease<D>, _ calls: inout CallTimes
    ) async throws -> [SQLResult] {
        let steps = request.steps(number)
        return request.isTransaction
            ? try await runTransaction(steps, request, on: lease, &calls)
            : try await run(steps, request, on: lease, &calls)
    }

    /// BEGIN and COMMIT are calls like the others: they are measured too.
    private func runTransaction(
        _ steps: [SQLStatement], _ request: UseRequest, on lease: borrowing Lease<D>, _ calls: inout CallTimes
    ) async throws -> [SQLResult] {
        var callBeganAt = pool.runtime.now
        defer { calls.addQuery(callBeganAt.duration(to: pool.runtime.now)) }
        let inquirer = askAboutCommits == nil ? nil : pool.driver.dialect.commitInquirer
        var results: [SQLResult] = []
        request.cancelSwitch?.reach(.begin)
        do {
            try await lease.inTransaction(begin: begin, deadline: .distantFuture, inquirer: inquirer) { lease in
                calls.addQuery(callBeganAt.duration(to: pool.runtime.now))
                defer { callBeganAt = pool.runtime.now }
                results = try await run(steps, request, on: lease, &calls)
                if request.behaviour?.throwsInside == true { throw ClientStopped(reason: .threw, results: results) }
                request.cancelSwitch?.reach(.commit)
            }
        } catch let doubt as CommitInDoubt {
            throw DoubtfulCommit(doubt: doubt, results: results)
        }
        return results
    }

    func run(
        _ steps: [SQLStatement], _ request: UseRequest, on lease: borrowing Lease<D>, _ calls: inout CallTimes
    ) async throws -> [SQLResult] {
        var results: [SQLResult] = []
        for (number, step) in steps.enumerated() {
            if number > 0, request.pause > .zero {
                try await pool.runtime.sleep(until: pool.runtime.now.advanced(by: request.pause))
            }
            request.cancelSwitch?.reach(.query)
            let startedAt = pool.runtime.now
            defer { calls.addQuery(startedAt.duration(to: pool.runtime.now)) }
            results.append(try await lease.execute(step))
        }
        request.cancelSwitch?.reach(.result)
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
