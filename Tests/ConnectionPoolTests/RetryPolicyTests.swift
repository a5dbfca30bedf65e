import ConnectionPool
import RigModel
import Testing

struct RetryPolicyTests {
    struct Row: CustomTestStringConvertible {
        let mode: RetryPolicy.Mode
        let outcome: Outcome
        let cause: FailureCause
        let isIdempotent: Bool
        let retries: Bool

        init(
            _ mode: RetryPolicy.Mode, _ outcome: Outcome, _ cause: FailureCause, idempotent: Bool = false,
            _ retries: Bool
        ) {
            self.mode = mode
            self.outcome = outcome
            self.cause = cause
            isIdempotent = idempotent
            self.retries = retries
        }

        var testDescription: String {
            "\(mode): \(outcome) by \(cause.name) \(cause.code ?? "")\(isIdempotent ? ", idempotent" : "")"
        }
    }

    static let rows = [
        // Not applied: tried again where it can succeed later.
        Row(.safe, .fail, .connectionLost, true),
        Row(.safe, .fail, .sessionEnded(sqlState: "57P01"), true),
        Row(.safe, .fail, .connectFailed(sqlState: nil), true),
        Row(.safe, .fail, .busy(code: "SQLITE_BUSY"), true),
        Row(.safe, .fail, .protocolViolation, true),
        Row(.safe, .fail, .server(sqlState: "40001"), true),
        Row(.safe, .fail, .server(sqlState: "40P01"), true),
        Row(.safe, .fail, .server(sqlState: "08006"), true),
        Row(.safe, .fail, .server(sqlState: "53300"), true),
        Row(.safe, .fail, .server(sqlState: "55P03"), true),
        Row(.safe, .fail, .server(sqlState: "55006"), true),
        Row(.safe, .fail, .server(sqlState: "25006"), true),
        Row(.safe, .fail, .server(sqlState: "57P03"), true),
        // What it says is wrong stays wrong.
        Row(.safe, .fail, .server(sqlState: "23505"), false),
        Row(.safe, .fail, .server(sqlState: "42601"), false),
        Row(.safe, .fail, .server(sqlState: "57014"), false),
        Row(.safe, .fail, .server(sqlState: "55000"), false),
        Row(.safe, .fail, .server(sqlState: "25P02"), false),
        Row(.safe, .fail, .embedded(code: "SQLITE_CONSTRAINT"), false),
        Row(.safe, .fail, .timedOut, false),
        Row(.safe, .fail, .poolRefused, false),
        Row(.safe, .fail, .cancelled, idempotent: true, false),
        // Maybe applied: only where twice does no harm.
        Row(.safe, .info, .connectionLost, false),
        Row(.safe, .info, .connectionLost, idempotent: true, true),
        Row(.safe, .info, .sessionEnded(sqlState: "57P01"), false),
        Row(.safe, .info, .server(sqlState: "40003"), false),
        Row(.safe, .info, .server(sqlState: "40003"), idempotent: true, true),
        Row(.safe, .info, .timedOut, idempotent: true, false),
        // Applied: never.
        Row(.safe, .ok, .connectionLost, idempotent: true, false),
        Row(.none, .fail, .connectionLost, idempotent: true, false),
        Row(.none, .fail, .server(sqlState: "40001"), false),
        // The one that is wrong on purpose.
        Row(.blind, .info, .connectionLost, true),
        Row(.blind, .fail, .server(sqlState: "23505"), true),
        Row(.blind, .fail, .timedOut, true),
        Row(.blind, .ok, .connectionLost, false),
        Row(.blind, .info, .cancelled, false),
    ]

    @Test("Whether an operation is tried again", arguments: rows)
    func decision(_ row: Row) {
        var generator = SeededGenerator(seed: 1)
        let delay = RetryPolicy(mode: row.mode).delay(
            after: row.outcome, cause: row.cause, attempt: 1, isIdempotent: row.isIdempotent, elapsed: .zero,
            generator: &generator)
        #expect((delay != nil) == row.retries)
    }

    @Test("The last attempt is not followed by another")
    func maxAttempts() {
        var generator = SeededGenerator(seed: 1)
        let policy = RetryPolicy(maxAttempts: 3)
        for (attempt, retries) in [(1, true), (2, true), (3, false), (4, false)] {
            #expect((policy.delay(attempt: attempt, &generator) != nil) == retries)
        }
        #expect(RetryPolicy(maxAttempts: 0).maxAttempts == 1)
        #expect(RetryPolicy(maxAttempts: 99).maxAttempts == OperationID.maxAttempt)
    }

    @Test("No attempt begins after the budget")
    func budget() {
        var generator = SeededGenerator(seed: 1)
        let policy = RetryPolicy(budget: .seconds(1), firstDelay: .milliseconds(100))
        #expect(policy.delay(attempt: 1, elapsed: .milliseconds(900), &generator) != nil)
        #expect(policy.delay(attempt: 1, elapsed: .milliseconds(1_001), &generator) == nil)
        for _ in 0..<1_000 {
            let elapsed = Duration.milliseconds(950)
            guard let delay = policy.delay(attempt: 1, elapsed: elapsed, &generator) else { continue }
            #expect(elapsed + delay <= .seconds(1))
        }
    }

    @Test("The pause is spread over the whole range below a bound that doubles up to the cap")
    func fullJitter() {
        var generator = SeededGenerator(seed: 5)
        let policy = RetryPolicy(
            maxAttempts: 15, budget: .seconds(1_000), firstDelay: .milliseconds(10), delayCap: .milliseconds(100))
        for (attempt, bound) in [(1, 10), (2, 20), (3, 40), (4, 80), (5, 100), (14, 100)] {
            let delays = (0..<500).compactMap { _ in policy.delay(attempt: attempt, &generator) }
            #expect(delays.count == 500)
            #expect(delays.allSatisfy { $0 >= .zero && $0 <= .milliseconds(bound) })
            #expect(delays.contains { $0 < .milliseconds(bound) / 10 })
            #expect(delays.contains { $0 > .milliseconds(bound) * 9 / 10 })
        }
    }
}

extension RetryPolicy {
    fileprivate func delay(
        attempt: Int, elapsed: Duration = .zero, _ generator: inout SeededGenerator
    ) -> Duration? {
        delay(
            after: .fail, cause: .connectionLost, attempt: attempt, isIdempotent: false, elapsed: elapsed,
            generator: &generator)
    }
}
