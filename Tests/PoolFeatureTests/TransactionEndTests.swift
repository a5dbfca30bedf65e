import ConnectionPool
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

extension FeatureTests {
    /// Every way out of a transaction other than its COMMIT leaves nothing behind, and the connection clean or closed.
    @Suite("Ways out of a transaction")
    struct TransactionEndTests {
        struct Stop: Error, Equatable {}

        /// The pool's only connection serves the next borrower, in a new transaction, and nothing of the old one is left.
        private func expectClean(_ fixture: FeatureFixture, samePID pid: Int?) async throws {
            let next = try await fixture.pool.withTransaction { lease in
                _ = try await lease.execute(fixture.insert(1000))
                return lease.connection.backendPID
            }
            if let pid { #expect(next == pid) }
            let rows = try await fixture.rows
            #expect(rows.map { $0[0] } == [.int(1000)])
            let open = try await fixture.ask(
                "SELECT count(*) FROM pg_locks WHERE relation = $1::regclass AND mode = 'RowExclusiveLock'",
                [.text(fixture.table)])
            #expect(open.rows == [[.int(0)]])
        }

        @Test("Cancelled between two statements: rolled back, and the same connection goes on")
        func cancelledBetweenStatements() async throws {
            try await FeatureFixture.with(maxOpen: 1) { fixture in
                let pid = Watched<Int?>(nil)
                let never = Watched(false)
                let task = Task {
                    try await fixture.pool.withTransaction { lease in
                        _ = try await lease.execute(fixture.insert(1))
                        pid.change { $0 = lease.connection.backendPID }
                        try await never.wait { $0 }
                    }
                }
                try await pid.wait { $0 != nil }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                try await expectClean(fixture, samePID: pid.value)
            }
        }

        @Test("Cancelled just before COMMIT although the body returned: rolled back")
        func cancelledBeforeCommit() async throws {
            try await FeatureFixture.with(maxOpen: 1) { fixture in
                let task = Task {
                    try await fixture.pool.withTransaction { lease in
                        _ = try await lease.execute(fixture.insert(1))
                        withUnsafeCurrentTask { $0?.cancel() }
                    }
                }
                await #expect(throws: (any Error).self) { try await task.value }
                try await expectClean(fixture, samePID: nil)
            }
        }

        @Test("The deadline passes inside a statement: rolled back, and the next borrower has a connection")
        func deadline() async throws {
            try await FeatureFixture.with(maxOpen: 1) { fixture in
                let error = await #expect(throws: DriverError.self) {
                    try await fixture.pool.withTransaction { lease in
                        _ = try await lease.execute(fixture.insert(1))
                        _ = try await lease.execute(
                            SQLStatement("SELECT pg_sleep(600)", role: .read),
                            deadline: .now.advanced(by: .milliseconds(50)))
                    }
                }
                #expect(error?.cause == .timedOut)
                try await untilAlone(fixture)
                try await expectClean(fixture, samePID: nil)
            }
        }

        @Test("A COMMIT that the server refuses says so, applies nothing, and leaves the connection usable")
        func refusedCommit() async throws {
            try await FeatureFixture.with(maxOpen: 1) { fixture in
                try await fixture.ask(
                    "ALTER TABLE \(fixture.table) ADD CONSTRAINT once UNIQUE (v) DEFERRABLE INITIALLY DEFERRED")
                let pid = Watched<Int?>(nil)
                let error = await #expect(throws: PhasedError.self) {
                    try await fixture.pool.withTransaction(retry: RetryPolicy(budget: .seconds(600))) { lease in
                        pid.change { $0 = lease.connection.backendPID }
                        _ = try await lease.execute(fixture.insert(1, 7))
                        _ = try await lease.execute(fixture.insert(2, 7))
                    }
                }
                #expect(error?.phase == .commit)
                #expect(error?.error.cause == .server(sqlState: "23505"))
                try await expectClean(fixture, samePID: pid.value)
            }
        }

        @Test("A body that hides a failed statement does not pass for a commit")
        func hiddenFailure() async throws {
            try await FeatureFixture.with(maxOpen: 1) { fixture in
                let error = await #expect(throws: PhasedError.self) {
                    try await fixture.pool.withTransaction { lease in
                        _ = try await lease.execute(fixture.insert(1))
                        _ = try? await lease.execute(SQLStatement("SELECT 1/0", role: .read))
                    }
                }
                #expect(error?.phase == .commit)
                try await expectClean(fixture, samePID: nil)
            }
        }

        @Test("A savepoint whose connection is lost takes the transaction with it")
        func lostInSavepoint() async throws {
            try await FeatureFixture.with(maxOpen: 1) { fixture in
                await #expect(throws: (any Error).self) {
                    try await fixture.pool.withTransaction { lease in
                        _ = try await lease.execute(fixture.insert(1))
                        try? await lease.withSavepoint { lease in
                            let pid = Int64(lease.connection.backendPID ?? 0)
                            try await fixture.ask("SELECT pg_terminate_backend($1::int, 20000)", [.int(pid)])
                            _ = try await lease.execute(fixture.insert(2))
                        }
                    }
                }
                try await expectClean(fixture, samePID: nil)
            }
        }

        @Test("A part that is cancelled inside a savepoint cannot be committed")
        func cancelledInSavepoint() async throws {
            try await FeatureFixture.with(maxOpen: 1) { fixture in
                let task = Task {
                    try await fixture.pool.withTransaction { lease in
                        _ = try await lease.execute(fixture.insert(1))
                        try? await lease.withSavepoint { lease in
                            _ = try await lease.execute(fixture.insert(2))
                            withUnsafeCurrentTask { $0?.cancel() }
                            throw Stop()
                        }
                    }
                }
                await #expect(throws: (any Error).self) { try await task.value }
                try await expectClean(fixture, samePID: nil)
            }
        }

        /// The server notices only after a while that a client has left in the middle of a statement.
        private func untilAlone(_ fixture: FeatureFixture) async throws {
            try await fixture.ask(
                "SELECT pg_terminate_backend(pid, 20000) FROM pg_locks WHERE relation = $1::regclass AND pid <> pg_backend_pid()",
                [.text(fixture.table)])
        }
    }
}
