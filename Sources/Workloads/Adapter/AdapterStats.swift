package import ConnectionPool
package import RigModel

/// What an adapter said last about its pool.
package struct AdapterStats: Sendable {
    package var gauges = PoolGauges()
    /// ``gauges`` tell of connections that are being opened, which the protocol leaves to the adapter.
    package var tellsConnecting = false
    /// Of our own pool only.
    package var metrics: [JSONValue.Member] = []
    package var leases: JSONValue = .array([])
    /// The wall clock of its process in seconds since 1970, where it tells.
    package var wallClock: Double?

    init() {}

    /// A number among the metrics.
    package func metric(_ name: String) -> Int64? { metrics.first { $0.key == name }?.value.intValue }

    init(_ answer: JSONValue) {
        let stats = answer["stats"]
        func count(_ name: String) -> Int { Int(clamping: stats?[name]?.intValue ?? 0) }
        gauges.open = count("open")
        gauges.idle = count("idle")
        gauges.inUse = count("in_use")
        gauges.connecting = count("connecting")
        tellsConnecting = stats?["connecting"]?.intValue != nil
        gauges.waiting = count("waiting")
        if case .object(let members)? = stats?["metrics"] { metrics = members }
        leases = stats?["leases"] ?? .array([])
        wallClock = stats?["wall_s"]?.doubleValue
    }

    static func line(
        id: JSONValue, gauges: PoolGauges, metrics: [JSONValue.Member], leases: JSONValue, wallClock: Double
    )
        -> JSONValue
    {
        [
            "id": id, "status": "ok",
            "stats": [
                "open": JSONValue(gauges.open), "in_use": JSONValue(gauges.inUse), "idle": JSONValue(gauges.idle),
                "connecting": JSONValue(gauges.connecting), "waiting": JSONValue(gauges.waiting),
                "wall_s": .double(wallClock), "metrics": .object(metrics), "leases": leases,
            ],
        ]
    }
}
