import RigModel
public import Threading

extension Pool {
    /// Lends a connection with an open transaction, and commits when `body` returns. On every other way out the transaction
    /// is rolled back: the connection goes back with it, and the pool resets it in the background, so a cancelled task has
    /// nothing to wait for.
    ///
    /// ```swift
    /// try await pool.withTransaction(isolation: .serializable, retry: RetryPolicy()) { lease in
    ///     let from = try await lease.execute(SQLStatement("select balance from accounts where id = $1", [.int(1)], role: .read))
    ///     …
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - readOnly: the server refuses writes (PostgreSQL); nothing can be in doubt.
    ///   - deferrable: see ``TransactionOptions/isDeferrable``.
    ///   - retry: runs the whole of `body` again, on another lease, when the transaction was certainly not applied and the
    ///     policy expects that to help: serialization failures, deadlocks, lost connections. `body` must then have no effect
    ///     outside its lease. `nil`: never.
    ///   - doubt: what to do when the answer to COMMIT is lost. Asking is impossible for a cancelled task, which waits for
    ///     nothing. A transaction whose only effect is NOTIFY has no number, and counts as one that wrote nothing.
    ///   - deadline: for everything together, attempts and questions too.
    /// - Throws: ``PoolError``; ``PhasedError`` when BEGIN or COMMIT failed and nothing was applied; ``CommitInDoubt``; whatever
    ///   `body` throws.
    public func withTransaction<R>(
        isolation: IsolationLevel? = nil, readOnly: Bool = false, deferrable: Bool = false,
        retry: RetryPolicy? = nil, doubt: CommitDoubtPolicy = .ask(atMost: .seconds(2)),
        deadline: MonotonicInstant = .distantFuture, file: StaticString = #fileID, line: UInt = #line,
        _ body: (borrowing Lease<D>) async throws -> R
    ) async throws -> R {
        let options = TransactionOptions(isolation: isolation, isReadOnly: readOnly, isDeferrable: deferrable)
        let site = BorrowSite(file: file, line: line)
        let startedAt = runtime.now
        var retries = retry.map { policy in
            TransactionRetry(policy: policy, startedAt: startedAt, deadline: deadline, seed: startedAt.nanoseconds)
        }
        while true {
            do {
                return try await tryTransaction(options, doubt: doubt, deadline: deadline, site: site, body)
            } catch {
                guard let next = retries?.next(after: error, now: runtime.now),
                    (try? await runtime.sleep(until: next)) != nil
                else { throw error }
                countRetry()
            }
        }
    }

    /// Asks the server what became of a transaction, on other connections of this pool, until it knows.
    ///
    /// - Returns: its last word; `nil` when there was none by the deadline, or when this database cannot say.
    public func becameOf(
        _ doubt: CommitInDoubt, deadline: MonotonicInstant, site: BorrowSite = .here()
    ) async -> CommitStatus? {
        guard let id = doubt.transactionID, let inquirer = driver.dialect.commitInquirer else { return nil }
        return await askWhatBecame(of: id, inquirer, until: deadline, site: site)
    }

    private func tryTransaction<R>(
        _ options: TransactionOptions, doubt: CommitDoubtPolicy, deadline: MonotonicInstant, site: BorrowSite,
        _ body: (borrowing Lease<D>) async throws -> R
    ) async throws -> R {
        let dialect = driver.dialect
        var inquirer = options.isReadOnly ? nil : dialect.commitInquirer
        if doubt == .report { inquirer = nil }
        let lease = try await acquire(deadline: deadline, site: site)
        let result: R
        var id: String?
        let hadFailed: Bool
        let failure: DriverError?
        do {
            try await lease.begin(dialect.begin(options), deadline: deadline)
            result = try await body(lease)
            if let inquirer { id = try await lease.transactionID(inquirer, deadline: deadline) }
            // A failed statement whose error the body kept to itself: this COMMIT can only roll back.
            hadFailed = lease.connection.transactionStatus == .failedTransaction
            failure = await lease.commitFailure(deadline: deadline)
        } catch {
            lease.release()
            throw error
        }
        // Before any question: it may need this very place in the pool.
        lease.release()
        guard let failure else { return result }
        let outcome = OutcomeTable.outcome(
            of: failure.cause, during: .commit, requestSent: failure.requestSent, inTransaction: true,
            readOnly: options.isReadOnly)
        guard outcome == .info else { throw PhasedError(phase: .commit, error: failure) }
        if hadFailed {
            throw PhasedError(phase: .commit, error: .rolledBack(failure, because: "a statement of it had failed"))
        }
        guard let inquirer, case .ask(let patience) = doubt else { throw CommitInDoubt(error: failure) }
        guard let id else {
            // It has written nothing. What it has read stands, unless only the COMMIT would have told that it does.
            if options.isolation != .serializable { return result }
            throw PhasedError(phase: .commit, error: .rolledBack(failure, because: "it had written nothing"))
        }
        let limit = min(deadline, runtime.now.advanced(by: patience))
        let status = await askWhatBecame(of: id, inquirer, until: limit, site: site)
        switch status {
        case .committed: return result
        case .aborted:
            throw PhasedError(phase: .commit, error: .rolledBack(failure, because: "the server says so"))
        case .inProgress, .unknown, nil:
            throw CommitInDoubt(error: failure, transactionID: id, lastStatus: status)
        }
    }

    /// Asks on other connections until the server knows, or the time is over.
    ///
    /// - Returns: the last answer; `nil` when there was none.
    private func askWhatBecame(
        of id: String, _ inquirer: any CommitInquirer, until limit: MonotonicInstant, site: BorrowSite
    ) async -> CommitStatus? {
        var pause = Duration.milliseconds(5)
        var last: CommitStatus?
        while true {
            do {
                last = try await withConnection(deadline: limit, site: site) { lease in
                    inquirer.read(try await lease.execute(inquirer.status(of: id), deadline: limit))
                }
                if last != .inProgress { return last }
            } catch let error as DriverError {
                // The server answers, but cannot say: a number from its future, or a server that is another one now.
                if case .server = error.cause { return .unknown }
            } catch {
                // No connection yet: the server may be just restarting.
            }
            let next = runtime.now.advanced(by: pause)
            guard next < limit, (try? await runtime.sleep(until: next)) != nil else { return last }
            pause = min(pause * 2, .milliseconds(250))
        }
    }
}

extension DriverError {
    /// A COMMIT whose answer was lost, and which certainly had no effect.
    static func rolledBack(_ lost: DriverError, because reason: String) -> DriverError {
        DriverError(
            .server(sqlState: "40000"),
            "the answer to COMMIT was lost (\(lost)), and the transaction was rolled back: \(reason)")
    }
}
