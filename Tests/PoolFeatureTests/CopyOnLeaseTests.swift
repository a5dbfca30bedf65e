import ConnectionPool
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

extension FeatureTests {
    /// COPY through a lease: the streams themselves are tested with the driver.
    @Suite("COPY on a lease")
    struct CopyOnLeaseTests {
        struct Stop: Error, Equatable {}

        @Test("Rows go in and come out, and the connection serves the next borrower")
        func inAndOut() async throws {
            try await FeatureFixture.with(maxOpen: 1) { fixture in
                let written = try await fixture.pool.withConnection { lease in
                    try await lease.copyIn("COPY \(fixture.table) FROM STDIN", deadline: .inTenMinutes) { writer in
                        for id in Int64(0)..<100_000 { try await writer.write(row: [.int(id), .int(id * 2)]) }
                    }
                }
                #expect(written == 100_000)
                let sums = try await fixture.ask("SELECT count(*), sum(v)::bigint FROM \(fixture.table)").rows
                #expect(sums == [[.int(100_000), .int(9_999_900_000)]])
                let lines = try await fixture.pool.withConnection { lease in
                    try await lease.copyOut("COPY \(fixture.table) TO STDOUT", deadline: .inTenMinutes) { reader in
                        var lines = 0
                        while let rows = try await reader.next() { lines += rows.count { $0 == UInt8(ascii: "\n") } }
                        return lines
                    }
                }
                #expect(lines == 100_000)
                #expect(fixture.pool.metrics.connectsOpened == 1)
            }
        }

        @Test("A COPY is a part of its transaction: rolled back with it")
        func inTransaction() async throws {
            try await FeatureFixture.with(maxOpen: 1) { fixture in
                await #expect(throws: Stop()) {
                    try await fixture.pool.withTransaction { lease in
                        _ = try await lease.copyIn("COPY \(fixture.table) FROM STDIN", deadline: .inTenMinutes) {
                            writer in try await writer.write("1\t1\n")
                        }
                        throw Stop()
                    }
                }
                #expect(try await fixture.rows.isEmpty)
                try await fixture.pool.run("SELECT 1", role: .read)
                #expect(fixture.pool.metrics.connectsOpened == 1)
            }
        }

        @Test("A writer that the server holds up waits, for as long as it takes, and nothing is lost")
        func heldUp() async throws {
            try await FeatureFixture.with(maxOpen: 1) { fixture in
                // The first row waits for this transaction.
                try await fixture.ask("BEGIN")
                try await fixture.ask("INSERT INTO \(fixture.table) VALUES (0, 0)")
                let progress = Watched(Int64(0))
                let count = Int64(2_000_000)
                let copy = Task {
                    try await fixture.pool.withConnection { lease in
                        try await lease.copyIn("COPY \(fixture.table) FROM STDIN", deadline: .inTenMinutes) { writer in
                            for id in 0..<count {
                                try await writer.write(row: [.int(id), .int(0)])
                                if id.isMultiple(of: 1000) { progress.change { $0 = id } }
                            }
                        }
                    }
                }
                // It has written what buffers hold, and then no more: longer than the kernel's limit for an answer.
                var seen: Int64 = -1
                while progress.value == 0 || progress.value != seen {
                    seen = progress.value
                    try await fixture.ask("SELECT pg_sleep(4)")
                }
                #expect(seen < count / 2)
                try await fixture.ask("ROLLBACK")
                #expect(try await copy.value == Int(count))
            }
        }

        @Test("A connection that dies in a COPY is a loss that the pool and its watchers learn of")
        func loss() async throws {
            let events = Watched<[StatementObservation]>([])
            try await FeatureFixture.with(
                maxOpen: 2, adjust: { $0.healthCheckInterval = .seconds(6000) },
                watch: { _ in (nil, StatementRecorder(events)) }
            ) { fixture in
                // Another connection, which becomes suspect by the loss.
                _ = try await fixture.pool.withConnection { _ in try await fixture.pool.run("SELECT 1", role: .read) }
                events.change { $0 = [] }
                let error = await #expect(throws: DriverError.self) {
                    try await fixture.pool.withConnection { lease in
                        let pid = Int64(lease.connection.backendPID ?? 0)
                        _ = try await lease.copyIn("COPY \(fixture.table) FROM STDIN", deadline: .inTenMinutes) {
                            writer in
                            try await fixture.ask("SELECT pg_terminate_backend($1::int, 20000)", [.int(pid)])
                            while true { try await writer.write("1\t1\n") }
                        }
                    }
                }
                #expect(error?.provesLoss == true)
                while fixture.pool.metrics.healthChecksOK == 0 {
                    try Task.checkCancellation()
                    await Task.yield()
                }
                #expect(fixture.pool.metrics.lostClosed == 1)
                #expect(events.value.map(\.statement.text).first == "COPY \(fixture.table) FROM STDIN")
                #expect(events.value.first?.error == error)
                #expect(try await fixture.rows.isEmpty)
            }
        }
    }
}

/// Keeps what it is told of statements.
struct StatementRecorder: LeaseWatcher {
    private let seen: Watched<[StatementObservation]>

    init(_ seen: Watched<[StatementObservation]>) { self.seen = seen }

    var interest: WatchInterest { .statements }

    func statementEnded(_ statement: StatementObservation) { seen.change { $0.append(statement) } }
}
