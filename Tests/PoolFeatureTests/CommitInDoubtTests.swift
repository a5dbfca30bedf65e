import ConnectionPool
import HostSystem
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

extension FeatureTests {
    /// The answer to COMMIT is lost on the way: what was done is found out by asking, on the real server.
    @Suite("Commits in doubt")
    struct CommitInDoubtTests {
        private func withCutter(_ body: (FeatureFixture, CommitCutter) async throws -> Void) async throws {
            let cutter = try CommitCutter(upstream: try await TestPostgres.shared().port)
            do {
                try await FeatureFixture.with(port: cutter.port) { fixture in try await body(fixture, cutter) }
            } catch {
                await stop(cutter)
                throw error
            }
            await stop(cutter)
        }

        /// On a thread that may wait.
        private func stop(_ cutter: CommitCutter) async {
            await onOwnThread("cutter-stop") { cutter.stop() }
        }

        private static let generous = CommitDoubtPolicy.ask(atMost: .seconds(600))

        @Test("It was committed: the transaction succeeds, its body ran once, and exactly one row exists")
        func committed() async throws {
            try await withCutter { fixture, cutter in
                cutter.cutCommits(.answerSwallowed)
                let runs = Watched(0)
                let value = try await fixture.pool.withTransaction(
                    retry: RetryPolicy(budget: .seconds(600)), doubt: Self.generous
                ) { lease in
                    runs.change { $0 += 1 }
                    _ = try await lease.execute(fixture.insert(1))
                    return "kept"
                }
                #expect(value == "kept")
                #expect(cutter.cutCount == 1)
                #expect(runs.value == 1)
                #expect(try await fixture.rows.count == 1)
            }
        }

        @Test("It was rolled back: with a retry the transaction is run again, and exactly one row exists")
        func abortedAndRetried() async throws {
            try await withCutter { fixture, cutter in
                cutter.cutCommits(.neverForwarded)
                let runs = Watched(0)
                try await fixture.pool.withTransaction(retry: RetryPolicy(budget: .seconds(600)), doubt: Self.generous)
                {
                    lease in
                    runs.change { $0 += 1 }
                    _ = try await lease.execute(fixture.insert(1))
                }
                #expect(cutter.cutCount == 1)
                #expect(runs.value == 2)
                #expect(try await fixture.rows.count == 1)
            }
        }

        @Test("It was rolled back: without a retry the error says that nothing was applied")
        func aborted() async throws {
            try await withCutter { fixture, cutter in
                cutter.cutCommits(.neverForwarded)
                let error = await #expect(throws: PhasedError.self) {
                    try await fixture.pool.withTransaction(doubt: Self.generous) { lease in
                        _ = try await lease.execute(fixture.insert(1))
                    }
                }
                let failure = try #require(error)
                #expect(failure.phase == .commit)
                let outcome = OutcomeTable.outcome(
                    of: failure.error.cause, during: .commit, requestSent: failure.error.requestSent,
                    inTransaction: true,
                    readOnly: false)
                #expect(outcome == .fail)
                #expect(try await fixture.rows.isEmpty)
            }
        }

        @Test("Its session still lives when the time is over: the doubt is reported, and nothing is run again")
        func inProgress() async throws {
            try await withCutter { fixture, cutter in
                cutter.cutCommits(.sessionKept)
                let runs = Watched(0)
                var patience = Duration.milliseconds(500)
                var attempts = 0
                var error: CommitInDoubt?
                // A busy server may not answer even once in that time: then another transaction, with more of it.
                repeat {
                    patience *= 4
                    attempts += 1
                    if attempts > 1 { cutter.cutCommits(.sessionKept) }
                    let (limit, id) = (patience, Int64(attempts))
                    error = await #expect(throws: CommitInDoubt.self) {
                        try await fixture.pool.withTransaction(
                            retry: RetryPolicy(budget: .seconds(600)), doubt: .ask(atMost: limit)
                        ) { lease in
                            runs.change { $0 += 1 }
                            _ = try await lease.execute(fixture.insert(id))
                        }
                    }
                } while error != nil && error?.lastStatus == nil && patience < .seconds(100)
                #expect(error?.lastStatus == .inProgress)
                #expect(error?.transactionID != nil)
                #expect(runs.value == attempts)
                // The table cannot go while that session holds it.
                try await fixture.ask(
                    "SELECT pg_terminate_backend(pid, 20000) FROM pg_locks WHERE relation = $1::regclass AND pid <> pg_backend_pid()",
                    [.text(fixture.table)])
            }
        }

        @Test("Where nobody is to be asked, the doubt is reported although it was committed")
        func report() async throws {
            try await withCutter { fixture, cutter in
                cutter.cutCommits(.answerSwallowed)
                let error = await #expect(throws: CommitInDoubt.self) {
                    try await fixture.pool.withTransaction(retry: RetryPolicy(budget: .seconds(600)), doubt: .report) {
                        lease in _ = try await lease.execute(fixture.insert(1))
                    }
                }
                #expect(error?.transactionID == nil)
                let rows = try await fixture.rows
                #expect(rows.count == 1)
            }
        }

        @Test("A COMMIT after a failed statement that nobody told of is a rollback, also when its answer is lost")
        func hiddenFailure() async throws {
            try await withCutter { fixture, cutter in
                cutter.cutCommits(.answerSwallowed)
                let error = await #expect(throws: PhasedError.self) {
                    try await fixture.pool.withTransaction(doubt: Self.generous) { lease in
                        _ = try await lease.execute(fixture.insert(1))
                        _ = try? await lease.execute(fixture.insert(1))
                    }
                }
                #expect(error?.phase == .commit)
                #expect(cutter.cutCount == 1)
                let rows = try await fixture.rows
                #expect(rows.isEmpty)
            }
        }

        @Test("A transaction that wrote nothing is not in doubt")
        func nothingWritten() async throws {
            try await withCutter { fixture, cutter in
                cutter.cutCommits(.neverForwarded)
                let one = try await fixture.pool.withTransaction(doubt: Self.generous) { lease in
                    try await lease.execute(SQLStatement("SELECT 1::bigint", role: .read)).rows
                }
                #expect(one == [[.int(1)]])
                #expect(cutter.cutCount == 1)
            }
        }

        @Test("Many transactions whose commits are cut both ways: each row exists exactly once")
        func manyCuts() async throws {
            try await withCutter { fixture, cutter in
                for index in 0..<20 {
                    cutter.cutCommits(index.isMultiple(of: 2) ? .answerSwallowed : .neverForwarded)
                }
                let policy = RetryPolicy(maxAttempts: 15, budget: .seconds(600))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in 0..<4 {
                        group.addTask {
                            for index in 0..<10 {
                                let id = Int64(worker * 100 + index)
                                try await fixture.pool.withTransaction(retry: policy, doubt: Self.generous) { lease in
                                    _ = try await lease.execute(fixture.insert(id))
                                }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(cutter.cutCount == 20)
                #expect(try await fixture.rows.count == 40)
            }
        }
    }
}
