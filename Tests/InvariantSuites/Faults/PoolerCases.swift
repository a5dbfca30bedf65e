extension FaultCase {
    /// A PgBouncer between pool and server.
    static let pooler: [FaultCase] = [
        FaultCase(
            kind: "pgbouncer-restart", lands: "{pgbouncer-restart: {signal: TERM, down-for: 500ms}, at: 500ms}",
            cannotLand: "{pgbouncer-restart: {signal: INT, grace: 300ms, escalate: false}, at: 500ms}",
            target: transaction, otherTarget: session, otherPool: "min-idle: 4"),
        FaultCase(
            kind: "pgbouncer-kill", lands: "{pgbouncer-kill: {down-for: 500ms}, at: 500ms}",
            cannotLand: "{pgbouncer-kill: {database: template1}, at: 500ms}", target: session),
        FaultCase(
            kind: "pgbouncer-pause", lands: "{pgbouncer-pause: {}, at: 500ms, for: 1s}",
            cannotLand: "{pgbouncer-pause: {patience: 500ms}, at: 500ms, for: 1s}", target: transaction,
            otherTarget: session, otherPool: "min-idle: 4"),
        FaultCase(
            kind: "pgbouncer-reconnect", lands: "{pgbouncer-reconnect: {}, at: 500ms}",
            cannotLand: "{pgbouncer-reconnect: {patience: 500ms}, at: 500ms}", target: transaction,
            otherTarget: session, otherPool: "min-idle: 4"),
        FaultCase(
            kind: "pgbouncer-lifetime", lands: "{pgbouncer-lifetime: {server-lifetime: 500ms}, at: 0s, for: 2500ms}",
            cannotLand: "{pgbouncer-lifetime: {server-lifetime: 1h}, at: 0s, for: 1s}", target: transaction),
    ]

    private static let session = "{postgres: managed, pgbouncer: session}"
    private static let transaction = "{postgres: managed, pgbouncer: transaction}"
}
