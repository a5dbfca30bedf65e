import ConnectionPool
import EventLoop
import RigModel
import Testing
import Threading

@testable import PostgresDriver

@Suite("What a broken server or network can say", .timeLimit(.minutes(15)))
struct WireFaultTests {
    struct Row: CustomTestStringConvertible {
        let testDescription: String
        /// What the server does after it has taken the statement; then it closes.
        let answer: [ScriptedServer.Step]
        /// `nil`: success.
        let cause: FailureCause?
    }

    // Computed: the leak sanitizer takes bytes in a global for lost, since an enum hides its case in the pointer.
    static var rows: [Row] {
        [
            Row(
                testDescription: "a whole answer",
                answer: [.send(Wire.command("COMMIT") + Wire.ready("I")), .untilClosed],
                cause: nil),
            Row(
                testDescription: "a whole answer, byte by byte",
                answer: [.drip(Wire.command("COMMIT") + Wire.ready("I")), .untilClosed], cause: nil),
            Row(testDescription: "nothing, then closed", answer: [], cause: .connectionLost),
            Row(
                testDescription: "done, then FATAL in the same packet",
                answer: [.send(Wire.command("COMMIT") + Wire.error("FATAL", "57P01", "bye")), .untilClosed],
                cause: .sessionEnded(sqlState: "57P01")),
            Row(
                testDescription: "done, then FATAL, byte by byte, then closed",
                answer: [.drip(Wire.command("COMMIT") + Wire.error("FATAL", "57P01", "bye"))],
                cause: .sessionEnded(sqlState: "57P01")),
            Row(testDescription: "done, then closed", answer: [.send(Wire.command("COMMIT"))], cause: .connectionLost),
            Row(
                testDescription: "half of an answer, then closed",
                answer: [.send(Array(Wire.command("COMMIT").dropLast(3)))],
                cause: .connectionLost),
            Row(
                testDescription: "ERROR, then closed without ReadyForQuery",
                answer: [.send(Wire.error("ERROR", "40001", "retry"))], cause: .connectionLost),
            Row(
                testDescription: "ERROR, then ready",
                answer: [.send(Wire.error("ERROR", "40001", "retry") + Wire.ready("I")), .untilClosed],
                cause: .server(sqlState: "40001")),
            Row(
                testDescription: "the end as a notice only, then closed",
                answer: [.send(Wire.notice("WARNING", "57P02", "crash of another server process"))],
                cause: .sessionEnded(sqlState: "57P02")),
            Row(
                testDescription: "an ordinary warning, then closed",
                answer: [.send(Wire.notice("WARNING", "01000", "careful"))], cause: .connectionLost),
            Row(
                testDescription: "two FATALs of a pooler",
                answer: [
                    .send(Wire.error("FATAL", "57P01", "bye") + Wire.error("FATAL", "08P01", "server conn crashed?"))
                ],
                cause: .sessionEnded(sqlState: "57P01")),
            Row(
                testDescription: "bytes that are no protocol",
                answer: [.send(Array("HTTP/1.1 502 Bad Gateway\r\n\r\n".utf8)), .untilClosed], cause: .protocolViolation
            ),
            Row(
                testDescription: "a message of an unknown type",
                answer: [.send(Wire.message("x") + Wire.ready("I")), .untilClosed], cause: .protocolViolation),
            Row(
                testDescription: "rows without their description",
                answer: [
                    .send(Wire.prepared + Wire.message("D", [0, 0]) + Wire.done("SELECT 1") + Wire.ready("I")),
                    .untilClosed,
                ],
                cause: .protocolViolation),
            Row(
                testDescription: "one answer too many",
                answer: [.send(Wire.command("COMMIT") + Wire.done("COMMIT") + Wire.ready("I")), .untilClosed],
                cause: .protocolViolation),
            Row(
                testDescription: "COMMIT that became a ROLLBACK",
                answer: [.send(Wire.command("ROLLBACK") + Wire.ready("I")), .untilClosed],
                cause: .server(sqlState: "25P02")),
        ]
    }

    @Test("Each way to answer COMMIT has its verdict", arguments: rows)
    func verdict(_ row: Row) async throws {
        try await withScript([.welcome, .takeRequest] + row.answer) { connection in
            let error = await failure { () throws(DriverError) in
                try await connection.execute(.commit, deadline: .soon)
            }
            #expect(error?.cause == row.cause, "\(error.map(String.init(describing:)) ?? "succeeded")")
            #expect(error?.requestSent ?? true)
            let isUsable = error == nil || error?.provesLoss == false
            #expect((connection.transactionStatus == .idle) == isUsable)
            #expect(connection.looksAlive() == isUsable)
        }
    }

    @Test func silenceEndsAtTheDeadlineAndDrippingDoesNotProlongIt() async throws {
        let endless = [UInt8](repeating: 0, count: 4_000_000)
        // A data row that never ends: bytes come all the time, an answer never.
        let start = Wire.prepared + [UInt8(ascii: "D"), 0x3f, 0, 0, 0]
        for answer: [ScriptedServer.Step] in [[.untilClosed], [.send(start), .drip(endless), .untilClosed]] {
            try await withScript([.welcome, .takeRequest] + answer) { connection in
                let (error, deadline) = await failureAtDeadline(milliseconds: 60) { deadline throws(DriverError) in
                    try await connection.execute(.commit, deadline: deadline)
                }
                #expect(error?.cause == .timedOut)
                #expect(.now >= deadline)
                #expect(connection.transactionStatus == .unusable)
            }
        }
    }

    @Test("A server that reads nothing before it was read from does not stop a big request")
    func requestIsFlushedWhileTheServerTalks() async throws {
        let notice = Wire.notice("WARNING", "01000", String(repeating: "x", count: 10_000))
        let talk = [[UInt8]](repeating: notice, count: 2000).flatMap { $0 }  // 20 MB: more than all buffers between
        let script: [ScriptedServer.Step] = [
            .welcome, .send(talk), .takeRequest, .send(Wire.command("INSERT 0 1") + Wire.ready("I")), .untilClosed,
        ]
        try await withScript(script) { connection in
            let big = String(repeating: "y", count: 20_000_000)
            let result = try await connection.run("insert", [.text(big)])
            #expect(result.affectedRows == 1)
        }
    }

    @Test(
        "What comes while the session is idle is judged before a statement is sent",
        arguments: [
            (Wire.error("FATAL", "57P05", "idle too long"), FailureCause.sessionEnded(sqlState: "57P05")),
            (Wire.notice("WARNING", "57P01", "shutting down"), .sessionEnded(sqlState: "57P01")),
            (Wire.message("x", [1, 2, 3]), .protocolViolation),
            ([], .connectionLost),
        ])
    func surpriseWhileIdle(bytes: [UInt8], expected: FailureCause) async throws {
        // Sent right after the welcome, and then closed.
        try await withScript([
            .takeStartup, .send(Wire.authenticationOK + Wire.keyData + Wire.ready("I")), .send(bytes),
        ]) {
            connection in
            let deadline = MonotonicInstant.soon
            while connection.looksAlive(), .now < deadline { await Task.yield() }
            let error = await failure { () throws(DriverError) in try await connection.run("select 1") }
            #expect(error?.cause == expected)
            #expect(error?.requestSent == false)
            #expect(connection.transactionStatus == .unusable)
        }
    }

    /// Lends a connection to a server that follows `steps`.
    private func withScript(
        _ steps: [ScriptedServer.Step], _ body: (PostgresConnection) async throws -> Void
    ) async throws {
        let server = ScriptedServer(steps)
        defer { server.stop() }
        let loop = try EventLoop()
        defer { loop.shutdown() }
        let driver = PostgresDriver(configuration: try PostgresConfiguration(url: server.url), loop: loop)
        let connection = try await driver.connect(deadline: .soon)
        #expect(connection.backendPID == 4321)
        do {
            try await body(connection)
        } catch {
            await connection.close(deadline: .soon)
            throw error
        }
        await connection.close(deadline: .soon)
    }
}
