import ConnectionPool
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

extension FeatureTests {
    /// Transactions, savepoints and retries on real databases.
    @Suite("Transactions")
    struct TransactionTests {
        struct Stop: Error, Equatable {}

        @Test("The options reach the server", arguments: IsolationLevel.allCases)
        func options(_ isolation: IsolationLevel) async throws {
            try await FeatureFixture.with { fixture in
                let shown = try await fixture.pool.withTransaction(
                    isolation: isolation, readOnly: true, deferrable: true
                ) {
                    lease in
                    try await lease.execute(
                        SQLStatement(
                            "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'), "
                                + "current_setting('transaction_deferrable')", role: .read))
                }
                #expect(shown.rows == [[.text(isolation.rawValue.lowercased()), .text("on"), .text("on")]])
                await #expect(throws: DriverError.self) {
                    try await fixture.pool.withTransaction(readOnly: true) { lease in
                        _ = try await lease.execute(fixture.insert(1))
                    }
                }
                #expect(try await fixture.rows == [])
            }
        }

        @Test("What a body did is kept when it returns, and gone when it throws")
        func commitAndRollback() async throws {
            try await FeatureFixture.with(maxOpen: 1) { fixture in
                try await fixture.pool.withTransaction { lease in _ = try await lease.execute(fixture.insert(1)) }
                await #expect(throws: Stop()) {
                    try await fixture.pool.withTransaction { lease in
                        _ = try await lease.execute(fixture.insert(2))
                        throw Stop()
                    }
                }
                // The next borrower of the only connection finds no transaction.
                try await fixture.pool.withConnection { lease in #expect(lease.connection.transactionStatus == .idle) }
                #expect(try await fixture.rows == [[.int(1), .int(0)]])
            }
        }

        @Test("A cancelled body is rolled back, and its connection serves the next one")
        func cancellation() async throws {
            try await FeatureFixture.with(maxOpen: 1) { fixture in
                let hasInserted = Watched(false)
                let task = Task {
                    try await fixture.pool.withTransaction { lease in
                        _ = try await lease.execute(fixture.insert(1))
                        hasInserted.change { $0 = true }
                        _ = try await lease.execute(SQLStatement("SELECT pg_sleep(600)", role: .read))
                    }
                }
                try await hasInserted.wait { $0 }
                task.cancel()
                await #expect(throws: DriverError.self) { try await task.value }
                try await fixture.pool.run("INSERT INTO \(fixture.table) VALUES (2, 0)")
                #expect(try await fixture.rows == [[.int(2), .int(0)]])
            }
        }

        @Test("Savepoints: a part that fails is undone alone, nested ones too")
        func savepoints() async throws {
            try await FeatureFixture.with { fixture in
                try await fixture.pool.withTransaction { lease in
                    _ = try await lease.execute(fixture.insert(1))
                    try await lease.withSavepoint { lease in
                        _ = try await lease.execute(fixture.insert(2))
                        await #expect(throws: DriverError.self) {
                            try await lease.withSavepoint { lease in
                                _ = try await lease.execute(fixture.insert(3))
                                // Already there: the server fails the whole transaction but for the savepoint.
                                _ = try await lease.execute(fixture.insert(1))
                            }
                        }
                        #expect(lease.connection.transactionStatus == .inTransaction)
                        _ = try await lease.execute(fixture.insert(4))
                    }
                    await #expect(throws: Stop()) {
                        try await lease.withSavepoint("my_part") { lease in
                            try await lease.withSavepoint { lease in _ = try await lease.execute(fixture.insert(5)) }
                            throw Stop()
                        }
                    }
                }
                #expect(try await fixture.rows.map { $0[0] } == [.int(1), .int(2), .int(4)])
            }
        }

        @Test("Names of savepoints are identifiers")
        func savepointNames() {
            for name in ["a", "_x9", "Part_2", String(repeating: "n", count: 63)] {
                #expect(SavepointName(name) != nil)
            }
            for name in ["", "9a", "a b", "a;--", "\"a\"", "é", String(repeating: "n", count: 64)] {
                #expect(SavepointName(name) == nil)
            }
        }

        @Test("Without a policy, and for an error that will come again, nothing is run twice")
        func noRetry() async throws {
            try await FeatureFixture.with { fixture in
                let runs = Watched(0)
                await #expect(throws: DriverError.self) {
                    try await fixture.pool.withTransaction(retry: RetryPolicy(budget: .seconds(600))) { lease in
                        runs.change { $0 += 1 }
                        _ = try await lease.execute(SQLStatement("SELECT 1/0", role: .read))
                    }
                }
                await #expect(throws: Stop()) {
                    try await fixture.pool.withTransaction(retry: RetryPolicy(budget: .seconds(600))) { _ in
                        runs.change { $0 += 1 }
                        throw Stop()
                    }
                }
                #expect(runs.value == 2)
            }
        }
    }
}
