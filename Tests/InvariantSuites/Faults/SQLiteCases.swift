extension FaultCase {
    /// An embedded database.
    static let sqlite: [FaultCase] = [
        FaultCase(
            sqlite: "lock-database", parameters: "{}", otherPool: "max-lifetime: 500ms", otherMix: "{read: 100}"),
        FaultCase(sqlite: "busy-storm", parameters: "{hold: 200ms, every: 300ms}", otherMix: "{read: 100}"),
        FaultCase(sqlite: "checkpoint-starvation", parameters: "{}", otherMix: "{read: 100}"),
        FaultCase(sqlite: "io-error", parameters: "{on: write, share: 50%}", other: "{on: write, nth: 1000000}"),
        FaultCase(sqlite: "slow-io", parameters: "{write: 100ms}", otherMix: "{read: 100}"),
        FaultCase(sqlite: "sqlite-disk-full", parameters: "{}", otherMix: "{read: 100}"),
        // Connections that come and go ask for locks, too, without any wish to write.
        FaultCase(
            sqlite: "sqlite-read-only", parameters: "{}", otherPool: "max-lifetime: 500ms", otherMix: "{read: 100}"),
        // Whoever has read everything reads nothing any more: new connections do.
        FaultCase(
            sqlite: "corrupt-database", parameters: "{share: 50%}", pool: "max-lifetime: 500ms", other: "{nth: 1000000}"
        ),
        // No connection is opened meanwhile.
        FaultCase(
            sqlite: "replace-database-file", parameters: "{}", pool: "max-lifetime: 500ms",
            otherPool: "min-idle: 4, check-after-idle: 1h, health-check-interval: 1h"),
    ]

    private init(
        sqlite kind: String, parameters: String, pool: String = "", other: String? = nil, otherPool: String? = nil,
        otherMix: String? = nil
    ) {
        self.init(
            kind: kind, lands: "{\(kind): \(parameters), at: 500ms, for: 1s}",
            cannotLand: "{\(kind): \(other ?? parameters), at: 500ms, for: 1s}", target: "{sqlite: temporary}",
            pool: pool, otherPool: otherPool, otherMix: otherMix)
    }
}
