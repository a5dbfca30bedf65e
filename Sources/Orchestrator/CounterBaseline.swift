import RigModel

/// What a pool's counters add up to since some moment of its life. Pure.
enum CounterBaseline {
    /// Of now, not since something.
    private static let gauges: Set<String> = [
        "maxOpenConnections", "openConnections", "inUse", "idle", "connecting", "waiters",
    ]

    /// Counters as they have grown since `before`; gauges and all that is no number as they are now. What covers the pool's
    /// whole life (quantiles) is left out once there is a `before`: it says nothing of the time since.
    static func since(_ before: [JSONValue.Member], now: [JSONValue.Member]) -> [JSONValue.Member] {
        guard !before.isEmpty else { return now }
        let earlier = Dictionary(before.map { ($0.key, $0.value) }) { first, _ in first }
        return now.compactMap { member in
            if gauges.contains(member.key) { return member }
            switch (member.value, earlier[member.key]) {
            case (.int(let value), .int(let old)?): return JSONValue.Member(member.key, .int(value - old))
            case (.double(let value), let old?) where member.key.hasSuffix("_ms"):
                return old.doubleValue.map { JSONValue.Member(member.key, .double(value - $0)) }
            case (.bool, _): return member
            case (.int, nil): return member
            default: return nil
            }
        }
    }
}
