public import RigModel
import Threading

/// When an operation that failed is tried again. Pure.
///
/// What may have happened decides, not the error's name: *not applied* is tried again, *maybe applied* only where doing
/// it twice does no harm. What is tried again is always the whole unit of work, a transaction from its BEGIN.
public struct RetryPolicy: Sendable, Equatable {
    public enum Mode: String, Sendable {
        case safe
        case none
        /// Tries again whatever failed. Wrong on purpose: it is there to show that the rig finds it.
        case blind
    }

    public var mode: Mode
    /// Tries in all, 1…15: a row carries the number of the try that wrote it in 4 bits.
    public var maxAttempts: Int
    /// From the first try to the beginning of the last one.
    public var budget: Duration
    /// The pause before try n + 1 is random in `0...min(cap, first × 2ⁿ⁻¹)` (full jitter).
    public var firstDelay: Duration
    public var delayCap: Duration

    public init(
        mode: Mode = .safe, maxAttempts: Int = 4, budget: Duration = .seconds(5),
        firstDelay: Duration = .milliseconds(10), delayCap: Duration = .seconds(1)
    ) {
        self.mode = mode
        self.maxAttempts = min(max(1, maxAttempts), OperationID.maxAttempt)
        self.budget = budget
        self.firstDelay = firstDelay
        self.delayCap = delayCap
    }

    /// - Parameters:
    ///   - outcome: what the failed attempt came to; `ok` never retries.
    ///   - cause: why it failed. A cancelled operation is never retried; with `safe` neither is one that ran into a limit
    ///     or that the pool refused.
    ///   - attempt: the number of the failed attempt, from 1.
    ///   - isIdempotent: doing it twice does no harm.
    ///   - elapsed: since the first attempt began.
    /// - Returns: how long to wait before the next attempt; `nil`: give up.
    public func delay(
        after outcome: Outcome, cause: FailureCause, attempt: Int, isIdempotent: Bool, elapsed: Duration,
        generator: inout SeededGenerator
    ) -> Duration? {
        guard attempt < maxAttempts, outcome != .ok, cause != .cancelled else { return nil }
        switch mode {
        case .none: return nil
        case .blind: break
        case .safe:
            if outcome == .info, !isIdempotent { return nil }
            if !Self.canSucceedLater(cause) { return nil }
        }
        let bound = min(delayCap.seconds, firstDelay.seconds * Double(1 << min(attempt - 1, 30)))
        let delay = Duration.seconds(bound * generator.nextUnit())
        return elapsed + delay <= budget ? delay : nil
    }

    /// A statement that the server refuses for what it says (syntax, constraint, permission) fails the same way again.
    /// Retried are the classes that PostgreSQL documents as passing: 40 rollback, 08 connection, 53 resources, 57P0x
    /// operator intervention, 55006 and 55P03 busy objects, 25006 read-only after a failover.
    private static func canSucceedLater(_ cause: FailureCause) -> Bool {
        switch cause {
        case .connectionLost, .sessionEnded, .connectFailed, .busy, .protocolViolation: true
        // The acquire timeout was the caller's patience; waiting again would double it.
        case .timedOut, .cancelled, .poolRefused: false
        case .embedded: false
        case .server(let state):
            ["40", "08", "53"].contains(String(state.prefix(2))) || ["55006", "55P03", "25006"].contains(state)
                || state.hasPrefix("57P")
        }
    }
}
