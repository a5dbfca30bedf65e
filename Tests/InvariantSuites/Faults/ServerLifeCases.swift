extension FaultCase {
    /// What servers enforce on sessions.
    static let serverLife: [FaultCase] = [
        FaultCase(
            kind: "max-lifetime", lands: "{max-lifetime: {max-age: 1s}, at: 0s, for: 2s}",
            cannotLand: "{max-lifetime: {max-age: 1h}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "idle-session-timeout", lands: "{idle-session-timeout: {after: 20ms}, at: 0s, for: 2s}",
            cannotLand: "{idle-session-timeout: {after: 1h}, at: 0s, for: 1s}",
            pool: "min-idle: 4, idle-order: round-robin"),
        FaultCase(
            kind: "idle-in-transaction-timeout",
            lands: "{idle-in-transaction-timeout: {after: 30ms}, at: 0s, for: 2s}",
            cannotLand: "{idle-in-transaction-timeout: {after: 1h}, at: 0s, for: 1s}",
            mix: "{append: 60, pausing-transfer: 10}"),
        FaultCase(
            kind: "statement-timeout", lands: "{statement-timeout: {after: 5ms}, at: 0s, for: 1s}",
            // What a session says itself wins over what the server says.
            cannotLand: "{statement-timeout: {after: 5ms}, at: 0s, for: 1s}", pool: "server-statement-timeout: false",
            otherPool: "server-statement-timeout: true"),
        FaultCase(
            kind: "lock-timeout", lands: "{lock-timeout: {after: 50ms}, at: 0s, for: 2s}",
            cannotLand: "{lock-timeout: {after: 1h}, at: 0s, for: 1s}"),
    ]
}
