import Threading

/// Takes the accounts table for itself, again and again: for a time, and then as long not.
actor LockPulse {
    private static let lockLimit = Duration.seconds(10)

    private let hold: Duration
    private let work = SessionWork()
    /// How many sessions waited for it at the most.
    private(set) var blocked = 0
    /// Why it stopped before it was told to.
    private(set) var failure: String?

    init(hold: Duration) { self.hold = hold }

    func start(on stage: FaultStage) async throws {
        let statements = try stage.needed(stage.statements, .statements)
        try await work.begin(try await statements.openSession(as: nil)) { await self.pulse($0, statements) }
    }

    private func pulse(_ session: any FaultSession, _ statements: any StatementControl) async {
        while !Task.isCancelled {
            do {
                try await session.run("BEGIN", within: Self.lockLimit)
                try await session.run(
                    "LOCK TABLE \(statements.accountsTable) IN ACCESS EXCLUSIVE MODE", within: Self.lockLimit)
                try? await Task.sleep(for: hold)
                let waiting = try? await LockWaiters.count(of: session.pid, by: statements)
                note(blocked: waiting ?? 0)
                try await session.run("ROLLBACK", within: Self.lockLimit)
            } catch {
                return note(failure: "\(error)")
            }
            try? await Task.sleep(for: hold)
        }
    }

    private func note(blocked: Int) { self.blocked = max(self.blocked, blocked) }
    private func note(failure: String) { self.failure = failure }

    /// Gives the lock back.
    ///
    /// - Throws: when somebody still waits for it.
    func stop(on stage: FaultStage) async throws {
        guard let statements = stage.statements else { return }
        if let pid = await work.pid {
            note(blocked: (try? await LockWaiters.count(of: pid, by: statements)) ?? 0)
        }
        try await work.end(by: statements)
    }
}
