extension FaultCase {
    /// Packets are late, lost, or go elsewhere.
    static let network: [FaultCase] = [
        FaultCase(
            kind: "latency", lands: "{latency: {latency: 30ms, jitter: 10ms}, at: 0s, for: 2s}",
            cannotLand: "{latency: {latency: 0s}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "packet-loss", lands: "{packet-loss: {share: 5%}, at: 0s, for: 2s}",
            cannotLand: "{packet-loss: {share: 0%}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "packet-reorder", lands: "{packet-reorder: {share: 20%, delay: 10ms}, at: 0s, for: 2s}",
            cannotLand: "{packet-reorder: {share: 0%}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "bandwidth", lands: "{bandwidth: {rate: 20KB/s}, at: 0s, for: 2s}",
            cannotLand: "{bandwidth: {rate: 1000MB/s}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "blackhole", lands: "{blackhole: {}, at: 0s, for: 1s}",
            // Nobody opens a connection meanwhile.
            cannotLand: "{blackhole: {connections: new}, at: 0s, for: 1s}", otherPool: "min-idle: 4"),
        FaultCase(
            kind: "half-open", lands: "{half-open: {}, at: 0s, for: 2s}",
            cannotLand: "{half-open: {idle: 1h}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "link-down", lands: "{link-down: {}, at: 0s, for: 2s}",
            // Up again before anybody could have noticed.
            cannotLand: "{link-down: {}, at: 0s, for: 1ms}"),
        FaultCase(
            kind: "name-resolution", lands: "{name-resolution: {mode: fails, share: 50%}, at: 0s, for: 2s}",
            // Nobody opens a connection, so nobody asks.
            cannotLand: "{name-resolution: {mode: fails}, at: 0s, for: 1s}",
            target: "{postgres: managed, name: true}", pool: "max-lifetime: 300ms", otherPool: "min-idle: 4"),
    ]
}
