extension FaultCase {
    /// Statements fail, or wait for others.
    static let statements: [FaultCase] = [
        FaultCase(
            kind: "lock-contention", lands: "{lock-contention: {table: appends, mode: exclusive}, at: 0s, for: 1s}",
            cannotLand: "{lock-contention: {mode: access-share}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "lock-contention", lands: "{lock-contention: {holder: pending-exclusive}, at: 0s, for: 1s}",
            cannotLand: "{lock-contention: {mode: access-share, table: appends}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "deadlock", lands: "{deadlock: {timeout: 100ms}, at: 0s, for: 4s}",
            // Nobody locks two rows. (A long timeout would not do: statements under way keep the one of before.)
            cannotLand: "{deadlock: {timeout: 100ms}, at: 0s, for: 1s}", mix: "{append: 20, transfer: 80}",
            faultsPhase: "5s", otherMix: "{append: 60, read: 40}"),
        FaultCase(
            kind: "serialization-failure", lands: "{serialization-failure: {}, at: 0s, for: 3s}",
            cannotLand: "{serialization-failure: {via: relay, share: 0%}, at: 0s, for: 1s}",
            mix: "{append: 20, transfer: 80}", faultsPhase: "4s"),
        FaultCase(
            kind: "serialization-failure",
            lands: "{serialization-failure: {via: relay, at: COMMIT, share: 50%}, at: 0s, for: 2s}",
            cannotLand: "{serialization-failure: {via: relay, at: statement, share: 0%}, at: 0s, for: 1s}"),
        // Only a statement that asks for all columns gets another result.
        FaultCase(
            kind: "cached-plan", lands: "{cached-plan: {}, at: 500ms, for: 1s}",
            cannotLand: "{cached-plan: {table: appends}, at: 500ms, for: 1s}",
            mix: "{append: 40, read-row: 40, transfer: 20}"),
        FaultCase(
            kind: "slow-statements", lands: "{slow-statements: {delay: 200ms}, at: 0s, for: 1s}",
            cannotLand: "{slow-statements: {delay: 0s}, at: 0s, for: 1s}"),
    ]
}
