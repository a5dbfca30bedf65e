/// A session of a fault's own that works in the background, in the way of the pool, until it is ended.
actor SessionWork {
    private static let limit = Duration.seconds(5)

    private var session: (any FaultSession)?
    private var task: Task<Void, Never>?

    /// Of the session's backend; `nil` when there is none.
    var pid: Int32? { session?.pid }

    /// - Parameters:
    ///   - settings: of the session, made before it works.
    ///   - work: runs until its task is cancelled.
    func begin(
        _ session: any FaultSession, settings: [(name: String, value: String)] = [],
        _ work: @escaping @Sendable (any FaultSession) async -> Void
    ) async throws(StatementFailure) {
        self.session = session
        for (name, value) in settings { try await session.run("SET \(name) = '\(value)'", within: Self.limit) }
        task = Task { await work(session) }
    }

    /// Ends the work, then the session, and with it whatever it holds. Idempotent.
    ///
    /// - Throws: when somebody still waits for it.
    func end(by statements: any StatementControl) async throws {
        task?.cancel()
        await task?.value
        task = nil
        guard let session else { return }
        await session.close()
        try await LockWaiters.waitUntilNone(of: [session.pid], by: statements)
        self.session = nil
    }
}
