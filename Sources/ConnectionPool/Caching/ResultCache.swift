import RigModel
public import Threading

/// Keeps the results of reads that ask for it, for one database. Thread-safe.
///
/// A result depends on nothing but its statement and parameters: no reads whose answer depends on the session (role,
/// `search_path`, temporary tables). Whoever changes what a result depends on invalidates its tags *after* the commit.
public final class ResultCache: Sendable {
    private struct State: Sendable {
        var core: ResultCacheCore
        var followers: [Int: [Reply<Answer>]] = [:]
    }

    /// What a follower gets.
    private enum Answer: Sendable {
        case result(SQLResult)
        case failure(any Error)
        /// The leader had no time or no wish any more. That says nothing about the query: look again.
        case leaderGaveUp
        case late
        case cancelled
    }

    private let state: Lock<State>

    /// - Parameter maxBytes: memory for keys and rows.
    public init(maxBytes: Int) { state = Lock(State(core: ResultCacheCore(maxBytes: maxBytes))) }

    public var counts: ResultCacheCounts { state.withLock { $0.core.counts } }

    /// Forgets every result with one of these tags. Who reads from now on does not get a result whose query began before.
    public func invalidate(_ tags: String...) {
        state.withLock { state in
            for tag in tags { state.core.invalidate(tag: tag) }
        }
    }

    public func invalidateAll() { state.withLock { $0.core.invalidateAll() } }

    /// The kept result, or the one that `load` gets. `load` runs in the caller's task, once for all who miss at one time.
    func read(
        _ statement: SQLStatement, timeToLive: Duration, tags: [String], deadline: MonotonicInstant,
        _ runtime: any PoolRuntime, load: () async throws -> SQLResult
    ) async throws -> SQLResult {
        while true {
            let reply = Reply<Answer>()
            let look = state.withLock { state in
                let look = state.core.look(up: statement, timeToLive: timeToLive, tags: tags, now: runtime.now)
                // In the same breath: the load may end at any time.
                if case .follow(let number) = look { state.followers[number, default: []].append(reply) }
                return look
            }
            switch look {
            case .hit(let result): return result
            case .lead(let number): return try await lead(number, load)
            case .follow:
                switch await reply.wait(until: deadline, runtime, late: .late, cancelled: .cancelled) {
                case .result(let result): return result
                case .failure(let error): throw error
                case .leaderGaveUp: continue
                case .late:
                    throw DriverError(
                        .timedOut,
                        "another task's query for the same rows took longer than this one could wait; give it a later "
                            + "deadline, or look at why the query is slow", requestSent: false)
                case .cancelled:
                    throw DriverError(
                        .cancelled, "cancelled while another task's query ran; nothing is held", requestSent: false)
                }
            }
        }
    }

    private func lead(_ load: Int, _ query: () async throws -> SQLResult) async throws -> SQLResult {
        do {
            let result = try await query()
            end(load, result, .result(result))
            return result
        } catch {
            end(load, nil, Self.isOwnLimit(error) ? .leaderGaveUp : .failure(error))
            throw error
        }
    }

    private func end(_ load: Int, _ result: SQLResult?, _ answer: Answer) {
        let followers = state.withLock { state in
            state.core.finish(load, with: result)
            return state.followers.removeValue(forKey: load) ?? []
        }
        for follower in followers { follower.send(answer) }
    }

    /// It failed because of the leader's deadline or cancellation, which is not the followers'.
    private static func isOwnLimit(_ error: any Error) -> Bool {
        switch error {
        case let error as DriverError: error.cause == .timedOut || error.cause == .cancelled
        case let error as PoolError: error.cause == .timedOut || error.cause == .cancelled
        default: error is CancellationError
        }
    }
}

extension Pool {
    /// Runs a read, or takes its rows from the cache.
    ///
    /// ```swift
    /// let top = try await pool.cachedRead(
    ///     SQLStatement("select id, name from products order by sold desc limit 10", role: .read), in: cache,
    ///     timeToLive: .seconds(5), tags: ["products"])
    /// // after the commit of a change:
    /// cache.invalidate("products")
    /// ```
    ///
    /// - Parameters:
    ///   - timeToLive: how old the rows may be.
    ///   - tags: what the rows depend on. The same for the same statement.
    /// - Throws: ``PoolError``, ``DriverError``. Who waits for another task's query gets its error, but not its timeout or
    ///   cancellation.
    public func cachedRead(
        _ statement: SQLStatement, in cache: ResultCache, timeToLive: Duration, tags: [String] = [],
        deadline: MonotonicInstant = .distantFuture, file: StaticString = #fileID, line: UInt = #line
    ) async throws -> SQLResult {
        precondition(statement.role == .read, "only reads can be answered from a cache: \(statement.text)")
        let site = BorrowSite(file: file, line: line)
        return try await cache.read(statement, timeToLive: timeToLive, tags: tags, deadline: deadline, runtime) {
            try await withConnection(deadline: deadline, site: site) { lease in
                try await lease.execute(statement, deadline: deadline)
            }
        }
    }
}
