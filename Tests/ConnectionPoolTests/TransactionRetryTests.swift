import ConnectionPool
import RigModel
import Testing
import Threading

@Suite("When a transaction is run again")
struct TransactionRetryTests {
    private static let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    struct Row: CustomTestStringConvertible {
        let testDescription: String
        let error: any Error
        let isRetried: Bool
    }

    private static func server(_ state: String) -> DriverError { DriverError(.server(sqlState: state), "no") }

    private static let rows = [
        Row(testDescription: "serialization failure in the body", error: server("40001"), isRetried: true),
        Row(testDescription: "deadlock in the body", error: server("40P01"), isRetried: true),
        Row(
            testDescription: "serialization failure at the COMMIT",
            error: PhasedError(phase: .commit, error: server("40001")), isRetried: true),
        Row(
            testDescription: "connection lost in the body", error: DriverError(.connectionLost, "reset"),
            isRetried: true),
        Row(
            testDescription: "connection lost at the BEGIN",
            error: PhasedError(phase: .begin, error: DriverError(.connectionLost, "reset")), isRetried: true),
        Row(
            testDescription: "COMMIT never sent",
            error: PhasedError(phase: .commit, error: DriverError(.connectionLost, "reset", requestSent: false)),
            isRetried: true),
        Row(
            testDescription: "COMMIT whose answer is lost",
            error: PhasedError(phase: .commit, error: DriverError(.connectionLost, "reset")), isRetried: false),
        Row(
            testDescription: "COMMIT in doubt", error: CommitInDoubt(error: DriverError(.connectionLost, "reset")),
            isRetried: false),
        Row(
            testDescription: "COMMIT of unknown completion", error: PhasedError(phase: .commit, error: server("40003")),
            isRetried: false),
        Row(testDescription: "constraint", error: server("23505"), isRetried: false),
        Row(testDescription: "cancelled", error: DriverError(.cancelled, "cancelled"), isRetried: false),
        Row(testDescription: "late", error: DriverError(.timedOut, "late"), isRetried: false),
        Row(testDescription: "error of the program", error: CancellationError(), isRetried: false),
        Row(testDescription: "pool closed", error: PoolError.closed, isRetried: false),
    ]

    @Test("Only what was certainly not applied, and may succeed later", arguments: rows)
    func decision(_ row: Row) {
        var retry = TransactionRetry(
            policy: RetryPolicy(), startedAt: Self.start, deadline: .distantFuture, seed: 1)
        #expect((retry.next(after: row.error, now: Self.start) != nil) == row.isRetried)
    }

    @Test("Not more often than allowed, and never beyond the deadline")
    func bounds() {
        let policy = RetryPolicy(maxAttempts: 3, budget: .seconds(600))
        var retry = TransactionRetry(policy: policy, startedAt: Self.start, deadline: .distantFuture, seed: 1)
        let retried = (0..<3).map { _ in retry.next(after: Self.server("40001"), now: Self.start) != nil }
        #expect(retried == [true, true, false])
        var late = TransactionRetry(policy: policy, startedAt: Self.start, deadline: Self.start, seed: 1)
        #expect(late.next(after: Self.server("40001"), now: Self.start) == nil)
    }
}
