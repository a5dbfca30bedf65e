import RigModel
import Testing

/// One row of the table in the documentation of ``OutcomeTable``, spelled out.
struct OutcomeRow: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var phases: [OperationPhase]
    var causes: [FailureCause]
    var sent = true
    var inTransaction = false
    var readOnly = false
    var expected: Outcome
}

private let error = FailureCause.server(sqlState: "23505")
private let unknownEffect = [FailureCause.server(sqlState: "08007"), .server(sqlState: "40003")]
private let silent: [FailureCause] = [
    .sessionEnded(sqlState: "57P01"), .connectionLost, .timedOut, .cancelled, .protocolViolation,
]
private let embedded: [FailureCause] = [
    .busy(code: "SQLITE_BUSY"), .embedded(code: "SQLITE_INTERRUPT"), .embedded(code: "SQLITE_FULL"),
]
private let inputOutput = [FailureCause.embedded(code: "SQLITE_IOERR"), .embedded(code: "SQLITE_IOERR_FSYNC")]
private let refused: [FailureCause] = [.poolRefused, .connectFailed(sqlState: "53300"), .connectFailed(sqlState: nil)]
private let every = [error] + unknownEffect + silent + embedded + inputOutput + refused

private let rows = [
    OutcomeRow(
        testDescription: "nothing was sent before the first statement", phases: [.acquire, .connect, .begin],
        causes: every, expected: .fail),
    OutcomeRow(
        testDescription: "the request never left", phases: [.query, .commit], causes: every, sent: false,
        expected: .fail),
    OutcomeRow(
        testDescription: "a read has no effect", phases: [.query, .commit], causes: every, readOnly: true,
        expected: .fail),
    OutcomeRow(
        testDescription: "without COMMIT the server rolls back", phases: [.query], causes: every, inTransaction: true,
        expected: .fail),
    OutcomeRow(
        testDescription: "autocommit: the statement was refused", phases: [.query], causes: [error], expected: .fail),
    OutcomeRow(
        testDescription: "autocommit: the server does not know itself", phases: [.query], causes: unknownEffect,
        expected: .info),
    OutcomeRow(
        testDescription: "autocommit: no answer that proves anything", phases: [.query], causes: silent, expected: .info
    ),
    OutcomeRow(testDescription: "autocommit: SQLite refused", phases: [.query], causes: embedded, expected: .fail),
    OutcomeRow(
        testDescription: "autocommit: SQLite may have written", phases: [.query], causes: inputOutput, expected: .info),
    OutcomeRow(
        testDescription: "commit: refused", phases: [.commit], causes: [error, .server(sqlState: "40001")],
        inTransaction: true, expected: .fail),
    OutcomeRow(
        testDescription: "commit: the server does not know itself", phases: [.commit], causes: unknownEffect,
        inTransaction: true, expected: .info),
    OutcomeRow(
        testDescription: "commit: no answer that proves anything", phases: [.commit], causes: silent,
        inTransaction: true, expected: .info),
    OutcomeRow(
        testDescription: "commit: SQLite may have written", phases: [.commit], causes: inputOutput, inTransaction: true,
        expected: .info),
    OutcomeRow(
        testDescription: "commit: SQLite is locked, the transaction stays open", phases: [.commit],
        causes: [.busy(code: "SQLITE_BUSY")], inTransaction: true, expected: .fail),
    OutcomeRow(
        testDescription: "the operation itself was over", phases: [.release, .close], causes: every, expected: .ok),
]

@Test("Failure and phase give the outcome of the table", arguments: rows)
func outcomeFollowsTheTable(_ row: OutcomeRow) {
    for phase in row.phases {
        for cause in row.causes {
            let outcome = OutcomeTable.outcome(
                of: cause, during: phase, requestSent: row.sent, inTransaction: row.inTransaction,
                readOnly: row.readOnly)
            #expect(outcome == row.expected, "\(cause) during \(phase)")
        }
    }
}
