import ConnectionPool
import Glibc
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import PostgresDriver

@Suite("COPY, in and out", .serialized, .timeLimit(.minutes(15)))
struct CopyTests {
    private struct Stop: Error, Equatable {}

    /// - Parameter windDown: how long a COPY that is given up may take to end; no slow machine needs so much.
    private func withTable(
        windDown: Duration = .seconds(600), _ body: (PostgresConnection, PostgresFixture) async throws -> Void
    ) async throws {
        try await withPostgres { fixture in
            let driver = fixture.driver { $0.copyWindDownLimit = windDown }
            let connection = try await driver.connect(deadline: .soon)
            try await connection.run("create temp table t (id int, v text)")
            try await body(connection, fixture)
            await connection.close(deadline: .soon)
        }
    }

    private func expectEmpty(_ connection: PostgresConnection) async throws {
        #expect(connection.transactionStatus == .idle)
        #expect(try await connection.run("select count(*) from t", role: .read).rows == [[.int(0)]])
    }

    /// What the body threw; the connection must be usable, and the table empty.
    private func expectUndone(
        _ connection: PostgresConnection, _ body: nonisolated(nonsending) (CopyWriter) async throws -> Void
    ) async throws -> (any Error)? {
        var seen: (any Error)?
        do { _ = try await connection.copyIn("copy t from stdin", deadline: .soon, body) } catch { seen = error }
        try await expectEmpty(connection)
        return seen
    }

    @Test func rowsArriveAsTheyWereGiven() async throws {
        try await withTable { connection, _ in
            let rows: [[SQLValue]] = [
                [.int(1), .text("plain")], [.int(-2), .text("tab\t line\n back\\slash \r ☂")], [.null, .text("\\N")],
                [.int(4), .text("")], [.int(5), .null],
            ]
            let written = try await connection.copyIn("copy t from stdin", deadline: .soon) { writer in
                for row in rows { try await writer.write(row: row) }
            }
            #expect(written == 5)
            #expect(try await connection.run("select * from t", role: .read).rows == rows)
            let text = try await connection.copyOut("copy t (v) to stdout", deadline: .soon) { reader in
                var all: [UInt8] = []
                while let some = try await reader.next() { all += some }
                return String(decoding: all, as: UTF8.self)
            }
            #expect(text == "plain\ntab\\t line\\n back\\\\slash \\r ☂\n\\\\N\n\n\\N\n")
            #expect(try await connection.copyIn("copy t from stdin", deadline: .soon) { _ in } == 0)
        }
    }

    @Test("Far more than every buffer on the way, in pieces of odd sizes, and back with a reader that dawdles")
    func manyRowsPassInBothDirections() async throws {
        try await withTable { connection, _ in
            let lines = (0..<60_000).map { "\($0)\trow number \($0) \(String(repeating: "x", count: $0 % 200))\n" }
            let bytes = Array(lines.joined().utf8)
            let written = try await connection.copyIn("copy t from stdin", deadline: .soon) { writer in
                var (offset, size) = (0, 1)
                while offset < bytes.count {
                    try await writer.write(Array(bytes[offset..<min(offset + size, bytes.count)]))
                    offset += size
                    size = size * 7 % 200_003
                }
            }
            #expect(written == 60_000)
            let back = try await connection.copyOut("copy (select * from t order by id) to stdout", deadline: .soon) {
                reader in
                var all: [UInt8] = []
                while let some = try await reader.next() {
                    #expect(some.last == UInt8(ascii: "\n"), "rows are whole")
                    all += some
                    await Task.yield()
                }
                return all
            }
            // Not as a whole: the library would take minutes to describe a difference.
            let difference = zip(back, bytes).enumerated().first { $1.0 != $1.1 }?.offset
            #expect(
                difference == nil && back.count == bytes.count,
                "\(back.count) of \(bytes.count) bytes, from \(difference ?? -1)")
            try await connection.check(deadline: .soon)
        }
    }

    @Test func badRowIsTheServersErrorWithItsLineAndTheWriterLearnsOfItEarly() async throws {
        try await withTable { connection, _ in
            let line = Array("1\tgood\n".utf8)
            var pieces = 0
            let error = try await expectUndone(connection) { writer in
                try await writer.write("1\ta\nnot a number\tb\n")
                // Far more than the server will ever read: it ends by what the server says.
                while true {
                    try await writer.write(line)
                    pieces += 1
                }
            }
            let seen = try #require(error as? DriverError)
            #expect(seen.cause == .server(sqlState: "22P02"))
            #expect(seen.message.contains("line 2"))
            #expect(pieces > 0)
            // At the end, when everything fitted into one piece.
            let late = try await expectUndone(connection) { try await $0.write("x\ty\n") } as? DriverError
            #expect(late?.cause == .server(sqlState: "22P02"))
        }
    }

    @Test func noticesDoNotPassForErrors() async throws {
        try await withTable { connection, _ in
            try await connection.run(
                """
                create function pg_temp.loud() returns trigger language plpgsql as $$
                begin raise warning 'EEEEEEEEEEEEEEEE %', repeat('E', 300); return new; end $$
                """)
            try await connection.run(
                "create trigger loud before insert on t for each row execute function pg_temp.loud()")
            let written = try await connection.copyIn("copy t from stdin", deadline: .soon) { writer in
                for number in 0..<40_000 { try await writer.write("\(number)\tEEE\n") }
            }
            #expect(written == 40_000)
            try await connection.check(deadline: .soon)
        }
    }

    @Test func bodyThatThrowsUndoesItsRowsAndLeavesTheConnectionUsable() async throws {
        try await withTable { connection, _ in
            let error = try await expectUndone(connection) { writer in
                for number in 0..<50_000 { try await writer.write("\(number)\tx\n") }
                throw Stop()
            }
            #expect(error is Stop)
        }
    }

    @Test func cancelledWriterUndoesItsRowsAndLeavesTheConnectionUsable() async throws {
        try await withTable { connection, _ in
            let error = await Task {
                await failureOf {
                    try await connection.copyIn("copy t from stdin", deadline: .soon) { writer in
                        try await writer.write("1\tx\n")
                        withUnsafeCurrentTask { $0?.cancel() }
                        while true { try await writer.write("2\ty\n") }
                    }
                }
            }.value
            #expect((error as? DriverError)?.cause == .cancelled)
            try await expectEmpty(connection)
        }
    }

    @Test func deadlineUndoesTheRows() async throws {
        // A COPY that was not open yet when its time was over costs the connection: a new one each time.
        let (isOpen, deadline) = try await withGrowingPatience(milliseconds: 200) { deadline in
            var isOpen = false
            try await withTable { connection, _ in
                let error = await failureOf {
                    try await connection.copyIn("copy t from stdin", deadline: deadline) { writer in
                        isOpen = true
                        while true { try await writer.write("2\ty\n") }
                    }
                }
                #expect((error as? DriverError)?.cause == .timedOut)
                if isOpen { try await expectEmpty(connection) }
            }
            return isOpen
        } hasBegun: {
            $0
        }
        #expect(isOpen)
        #expect(.now >= deadline)
    }

    @Test func readerThatLeavesEarlyOrThrowsLeavesTheConnectionUsable() async throws {
        try await withTable { connection, _ in
            let endless = "copy (select generate_series(1, 1000000000), repeat('x', 100)) to stdout"
            let first = try await connection.copyOut(endless, deadline: .soon) { try await $0.next() }
            #expect(first?.isEmpty == false)
            #expect(connection.transactionStatus == .idle)
            try await connection.check(deadline: .soon)
            await #expect(throws: Stop.self) {
                try await connection.copyOut(endless, deadline: .soon) { reader in
                    _ = try await reader.next()
                    throw Stop()
                }
            }
            try await connection.check(deadline: .soon)
        }
    }

    @Test func serversErrorInTheMiddleOfAReadIsThrown() async throws {
        try await withTable { connection, _ in
            var pieces = 0
            let error = await failureOf {
                try await connection.copyOut(
                    "copy (select 1 / (90000 - g) from generate_series(1, 100000) g) to stdout", deadline: .soon
                ) { reader in while try await reader.next() != nil { pieces += 1 } }
            }
            #expect((error as? DriverError)?.cause == .server(sqlState: "22012"))
            #expect(pieces > 0)
            try await connection.check(deadline: .soon)
        }
    }

    @Test func statementThatIsNoCopyIsRefused() async throws {
        try await withTable { connection, fixture in
            for (text, state) in [("selekt", "42601"), ("copy nowhere from stdin", "42P01")] {
                let error = await failureOf { try await connection.copyIn(text, deadline: .soon) { _ in } }
                #expect((error as? DriverError)?.cause == .server(sqlState: state))
            }
            let plain = await failureOf { try await connection.copyIn("select 1", deadline: .soon) { _ in } }
            #expect((plain as? DriverError)?.cause == .protocolViolation)
            try await connection.check(deadline: .soon)
            // The other direction: out of step, so the connection must go.
            let other = try await fixture.connect()
            let wrong = await failureOf { try await other.copyIn("copy pg_class to stdout", deadline: .soon) { _ in } }
            #expect((wrong as? DriverError)?.cause == .protocolViolation)
            #expect(other.transactionStatus == .unusable)
            await other.close(deadline: .soon)
        }
    }

    @Test func lossInTheMiddleEndsTheCopy() async throws {
        try await withTable { connection, fixture in
            let error = await failureOf {
                try await connection.copyIn("copy t from stdin", deadline: .soon) { writer in
                    try await fixture.terminate(connection)
                    while true { try await writer.write("1\tx\n") }
                }
            }
            #expect((error as? DriverError)?.provesLoss == true)
            #expect(connection.transactionStatus == .unusable)
        }
    }

    @Test("A server that takes nothing holds the writer up, and the process does not grow")
    func writerIsHeldBackByASlowServer() async throws {
        // The server will not end the COPY either while it waits for the lock.
        try await withTable(windDown: .seconds(1)) { connection, fixture in
            // Nobody can insert while the table is locked: the server reads some rows and then no more.
            let name = "held_\(connection.backendPID ?? 0)"
            try await fixture.observer.run("create table \(name) (id int primary key)")
            try await fixture.observer.run("begin", role: .begin)
            try await fixture.observer.run("insert into \(name) values (1)")
            var written = 0
            let error = await failureOf {
                try await connection.copyIn("copy \(name) from stdin", deadline: .inMilliseconds(1500)) { writer in
                    // The first row waits for the other transaction.
                    while true {
                        try await writer.write("1\n")
                        written += 2
                    }
                }
            }
            #expect((error as? DriverError)?.cause == .timedOut)
            #expect(written < 64 << 20, "what the kernel and two pieces hold, not what a second can write")
            try await fixture.observer.run("rollback", role: .rollback)
            try await fixture.observer.run("drop table \(name)")
        }
    }

    private func failureOf<R>(_ operation: () async throws -> R) async -> (any Error)? {
        do {
            _ = try await operation()
            return nil
        } catch {
            return error
        }
    }
}
