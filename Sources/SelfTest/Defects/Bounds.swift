import ConnectionPool
import Orchestrator
import RigModel
import Threading

/// More of something than the pool was allowed.
enum Bounds {
    static let all: [Defect] = [
        Defect(
            "more-than-max-open", .bounds, "under pressure the pool opens twice as many connections as it may",
            breaks: "max-open-connections", in: .contended.judging("max-open-connections: {grace: 1s}"), short: true
        ) { limited { $0.maxOpen *= 2 } },
        Defect(
            "one-too-many", .bounds, "two connects that cross open one connection more than there may be",
            breaks: "max-open-connections", in: .contended.judging("max-open-connections: {grace: 1s}")
        ) { limited { $0.maxOpen += 1 } },
        Defect(
            "connects-unlimited", .bounds, "everything that is missing is connected at once",
            breaks: "connect-storm",
            in: .frozen.with("pool.max-connecting=2").judging("connect-storm: {}")
        ) { limited { $0.maxConnecting = 64 } },
        Defect(
            "reconnect-without-pause", .bounds, "a failed connect is repeated at once, as often as it takes",
            breaks: "connect-storm", in: .restarted.judging("connect-storm: {}")
        ) {
            limited { limits in
                limits.backoffFirst = .microseconds(100)
                limits.backoffCap = .milliseconds(1)
            }
        },
        Defect(
            "waiters-unbounded", .bounds, "the limit of waiting acquires is not looked at", breaks: "bounded-waiters",
            in: .frozen.with("pool.max-waiters=3").judging("bounded-waiters: {}")
        ) { limited { $0.maxWaiters = nil } },
        Defect(
            "checked-at-every-acquire", .bounds,
            "each connection is checked before each lease, also one that was just used",
            breaks: "check-budget", in: .killed.judging("check-budget: {}")
        ) { limited { $0.checkAfterIdle = .zero } },
        Defect(
            "connects-hedged", .bounds, "each connect after a loss opens five sessions and keeps the first",
            breaks: "connections-per-loss", in: .killed.judging("connections-per-loss: {}"),
            driver: { HedgedConnects() }),
    ]

    static func limited(_ change: @escaping @Sendable (inout PoolConfiguration) -> Void) -> PoolDecoration {
        var decoration = PoolDecoration()
        decoration.configuration = { limits in
            var limits = limits
            change(&limits)
            return limits
        }
        return decoration
    }
}

private struct HedgedConnects: DriverDefect {
    private let hasLost = Memory(false)

    func connect(
        by driver: any Driver, deadline: MonotonicInstant
    ) async throws(DriverError) -> any DriverConnection {
        if hasLost.withLock({ $0 }) {
            var spare: [any DriverConnection] = []
            for _ in 1...4 { spare.append(try await driver.connect(deadline: deadline)) }
            let losers = spare
            Task {
                // Long enough to be seen from outside.
                try? await Task.sleep(for: .seconds(1))
                for connection in losers { await connection.close(deadline: .now.advanced(by: .seconds(1))) }
            }
        }
        return try await driver.connect(deadline: deadline)
    }

    func close(_ connection: PlantedConnection, deadline: MonotonicInstant) async {
        hasLost.withLock { $0 = true }
        await connection.base.close(deadline: deadline)
    }
}
