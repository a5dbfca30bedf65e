import ConnectionPool
import RigModel
import Testing

@testable import PostgresDriver

struct BatchLedgerTests {
    private static let ready = ReplyLedger.End(isReady: true, notice: nil, lastWords: "")
    private static let gone = ReplyLedger.End(isReady: false, notice: nil, lastWords: "server closed the connection")
    private static let conflict = ServerMessage(severity: "ERROR", sqlState: "40001", text: "retry")
    private static let farewell = ServerMessage(severity: "FATAL", sqlState: "57P01", text: "bye")

    private func done(_ count: Int) -> BatchLedger.Answer { .done(SQLResult(affectedRows: count), tag: .other) }

    /// What became of each item, in short: its affected rows, or its cause and whether it was sent.
    private func words(_ results: [Result<SQLResult, DriverError>]) -> [String] {
        results.map { result in
            switch result {
            case .success(let result): "\(result.affectedRows)"
            case .failure(let error):
                "\(error.cause.name) \(error.cause.code ?? "-") \(error.requestSent ? "sent" : "unsent")"
            }
        }
    }

    private func ledger(_ count: Int, _ atomicity: BatchAtomicity, role: SQLStatement.Role = .write) -> BatchLedger {
        var ledger = BatchLedger(roles: Array(repeating: role, count: count), atomicity: atomicity)
        for item in 0..<count { ledger.give(item) }
        return ledger
    }

    @Test func everyItemHasItsResult() {
        var ledger = ledger(2, .allOrNothing)
        ledger.take(done(1), for: 0)
        ledger.take(done(2), for: 1)
        ledger.settle(upTo: 2)
        #expect(words(ledger.results(end: Self.ready)) == ["1", "2"])
    }

    @Test func failureUndoesThoseBeforeAndStopsThoseBehind() {
        var ledger = ledger(3, .allOrNothing)
        ledger.take(done(1), for: 0)
        ledger.take(.failed(Self.conflict), for: 1)
        ledger.take(.skipped, for: 2)
        ledger.settle(upTo: 3)
        #expect(
            words(ledger.results(end: Self.ready)) == [
                "server-error 25P02 sent", "server-error 40001 sent", "server-error 25P02 unsent",
            ])
    }

    @Test func whatACommitHasClosedIsNotUndone() {
        var ledger = BatchLedger(roles: [.begin, .write, .commit, .write, .write], atomicity: .allOrNothing)
        for item in 0..<4 { ledger.take(done(item), for: item) }
        ledger.take(.failed(Self.conflict), for: 4)
        ledger.settle(upTo: 5)
        #expect(
            words(ledger.results(end: Self.ready)) == [
                "0", "1", "2", "server-error 25P02 sent", "server-error 40001 sent",
            ])
    }

    @Test func failureOfTheCommitItselfIsBorneByTheLastItem() {
        var ledger = ledger(2, .allOrNothing)
        ledger.take(done(1), for: 0)
        ledger.take(done(1), for: 1)
        ledger.takeCommitFailure(ServerMessage(severity: "ERROR", sqlState: "23505", text: "twice"), upTo: 2)
        ledger.settle(upTo: 2)
        #expect(
            words(ledger.results(end: Self.ready)) == ["server-error 25P02 sent", "server-error 23505 sent"])
    }

    @Test func independentItemsStandForThemselves() {
        var ledger = ledger(3, .independent)
        ledger.take(done(1), for: 0)
        ledger.settle(upTo: 1)
        ledger.take(.failed(Self.conflict), for: 1)
        ledger.settle(upTo: 2)
        ledger.take(done(3), for: 2)
        ledger.settle(upTo: 3)
        #expect(words(ledger.results(end: Self.ready)) == ["1", "server-error 40001 sent", "3"])
    }

    @Test func lossLeavesInDoubtWhatHadNoSync() {
        var ledger = BatchLedger(roles: Array(repeating: .write, count: 4), atomicity: .independent)
        for item in 0..<3 { ledger.give(item) }
        ledger.take(done(1), for: 0)
        ledger.settle(upTo: 1)
        ledger.take(done(2), for: 1)  // its Sync was not answered: it may not have been committed
        #expect(
            words(ledger.results(end: Self.gone)) == [
                "1", "connection-lost - sent", "connection-lost - sent", "connection-lost - unsent",
            ])
    }

    @Test func lossBeforeTheOneSyncLeavesEverythingInDoubt() {
        var ledger = ledger(2, .allOrNothing)
        ledger.take(done(1), for: 0)
        ledger.take(done(1), for: 1)
        #expect(words(ledger.results(end: Self.gone)) == ["connection-lost - sent", "connection-lost - sent"])
    }

    @Test func farewellKeepsItsCode() {
        var ledger = ledger(2, .independent)
        ledger.take(done(1), for: 0)
        ledger.settle(upTo: 1)
        ledger.take(.failed(Self.farewell), for: 1)
        #expect(ledger.isOver)
        #expect(words(ledger.results(end: Self.gone)) == ["1", "session-ended 57P01 sent"])
        var other = self.ledger(1, .allOrNothing)
        other.take(done(1), for: 0)
        other.takeCommitFailure(Self.farewell, upTo: 1)
        #expect(words(other.results(end: Self.gone)) == ["session-ended 57P01 sent"])
    }

    @Test func interruptionKeepsWhatWasSettled() {
        var ledger = ledger(2, .independent)
        ledger.take(done(1), for: 0)
        ledger.settle(upTo: 1)
        let late = DriverError(.timedOut, "too late")
        #expect(words(ledger.results(end: .gone, interruption: late)) == ["1", "timed-out - sent"])
    }

    @Test func commitThatBecameARollbackFails() {
        var ledger = ledger(1, .independent, role: .commit)
        ledger.take(.done(SQLResult(), tag: .rollback), for: 0)
        ledger.settle(upTo: 1)
        #expect(words(ledger.results(end: Self.ready)) == ["server-error 25P02 sent"])
    }

    @Test func anAnswerTooManyIsAViolation() {
        var ledger = ledger(1, .allOrNothing)
        ledger.take(done(1), for: 0)
        ledger.take(done(1), for: 0)
        #expect(ledger.isOver)
        #expect(words(ledger.results(end: Self.gone)) == ["protocol-violation - sent"])
    }
}
