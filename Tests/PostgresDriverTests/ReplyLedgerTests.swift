import ConnectionPool
import RigModel
import Testing

@testable import PostgresDriver

struct ReplyLedgerTests {
    struct Row: CustomTestStringConvertible {
        let testDescription: String
        var parts: [ReplyLedger.Part]
        var role = SQLStatement.Role.write
        var end = ready
        /// `nil`: success.
        let cause: FailureCause?
    }

    static let ready = ReplyLedger.End(isReady: true, notice: nil, lastWords: "")
    static let gone = ReplyLedger.End(
        isReady: false, notice: nil, lastWords: "server closed the connection unexpectedly")
    static let goneWithNotice = ReplyLedger.End(
        isReady: false,
        notice: ServerMessage(severity: "WARNING", sqlState: "57P02", text: "crash of another server process"),
        lastWords: "server closed the connection unexpectedly")

    static func done(_ tag: String) -> ReplyLedger.Part { .done(SQLResult(), tag: tag) }
    static func said(_ severity: String, _ state: String) -> ReplyLedger.Part {
        .failed(ServerMessage(severity: severity, sqlState: state, text: "words"))
    }
    static func libpq(_ text: String) -> ReplyLedger.Part {
        .failed(ServerMessage(severity: nil, sqlState: nil, text: text))
    }
    static let goneText = libpq("server closed the connection unexpectedly")

    static let rows = [
        Row(testDescription: "one answer, then ready", parts: [done("INSERT 0 1")], cause: nil),
        Row(testDescription: "ERROR, then ready", parts: [said("ERROR", "23505")], cause: .server(sqlState: "23505")),
        Row(
            testDescription: "FATAL, then gone: its code is kept", parts: [said("FATAL", "57P01"), goneText], end: gone,
            cause: .sessionEnded(sqlState: "57P01")),
        Row(
            testDescription: "two FATALs of a pooler: the first code is kept",
            parts: [said("FATAL", "57P01"), said("FATAL", "08P01"), goneText], end: gone,
            cause: .sessionEnded(sqlState: "57P01")),
        Row(
            testDescription: "PANIC", parts: [said("PANIC", "53100")], end: gone,
            cause: .sessionEnded(sqlState: "53100")),
        Row(
            testDescription: "answered, then FATAL: not a success", parts: [done("COMMIT"), said("FATAL", "57P01")],
            role: .commit, end: gone, cause: .sessionEnded(sqlState: "57P01")),
        Row(
            testDescription: "answered, then gone: not a success", parts: [done("COMMIT"), goneText], role: .commit,
            end: gone, cause: .connectionLost),
        Row(
            testDescription: "answered, but never ready", parts: [done("COMMIT")], role: .commit, end: gone,
            cause: .connectionLost),
        Row(testDescription: "gone without a word", parts: [goneText], end: gone, cause: .connectionLost),
        Row(
            testDescription: "gone, but a notice said why", parts: [goneText], end: goneWithNotice,
            cause: .sessionEnded(sqlState: "57P02")),
        Row(
            testDescription: "ERROR, then gone: the ERROR proves little", parts: [said("ERROR", "40001"), goneText],
            end: gone, cause: .connectionLost),
        Row(
            testDescription: "a notice of the end on a session that lives on changes nothing",
            parts: [done("SELECT 1")],
            end: ReplyLedger.End(isReady: true, notice: goneWithNotice.notice, lastWords: ""), cause: nil),
        Row(
            testDescription: "out of step, and libpq dropped it",
            parts: [libpq("lost synchronization with server: got message type \"x\", length 7")], end: gone,
            cause: .protocolViolation),
        Row(
            testDescription: "out of step, and libpq thinks all is well",
            parts: [libpq("unexpected response from server; first received character was \"x\"")],
            cause: .protocolViolation),
        Row(testDescription: "COPY", parts: [.unexpected("COPY_OUT")], cause: .protocolViolation),
        Row(testDescription: "no answer at all", parts: [], cause: .protocolViolation),
        Row(
            testDescription: "an answer too many", parts: [done("INSERT 0 1"), done("INSERT 0 1")],
            cause: .protocolViolation),
        Row(
            testDescription: "COMMIT that became a ROLLBACK", parts: [done("ROLLBACK")], role: .commit,
            cause: .server(sqlState: "25P02")),
        Row(testDescription: "ROLLBACK that was asked for", parts: [done("ROLLBACK")], role: .rollback, cause: nil),
    ]

    @Test("Everything the server said decides the verdict", arguments: rows)
    func verdict(_ row: Row) {
        var ledger = ReplyLedger()
        for part in row.parts { ledger.take(part) }
        do throws(DriverError) {
            let result = try ledger.verdict(role: row.role, end: row.end)
            #expect(row.cause == nil, "succeeded with \(result)")
        } catch {
            #expect(error.cause == row.cause)
            #expect(error.requestSent)
            #expect(!error.message.isEmpty)
        }
    }

    @Test func errorBeforeALossIsKeptForTheReader() {
        var ledger = ReplyLedger()
        ledger.take(Self.said("ERROR", "40001"))
        #expect {
            try ledger.verdict(role: .commit, end: Self.gone)
        } throws: {
            "\($0)".contains("server closed the connection unexpectedly (before that: ERROR: words)")
        }
    }

    @Test func rolledBackCommitIsACertainFailure() throws {
        var ledger = ReplyLedger()
        ledger.take(Self.done("ROLLBACK"))
        let error = try #require(throws: DriverError.self) { try ledger.verdict(role: .commit, end: Self.ready) }
        let outcome = OutcomeTable.outcome(
            of: error.cause, during: .commit, requestSent: error.requestSent, inTransaction: true, readOnly: false)
        #expect(outcome == .fail)
    }
}
