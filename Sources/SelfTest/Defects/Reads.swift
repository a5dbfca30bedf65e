import ConnectionPool
import RigModel
import Threading

/// Reads that are older than they may be.
enum Reads {
    static let all: [Defect] = [
        Defect(
            "stale-cache", .holders, "a read is answered from a cache that no write empties",
            breaks: "read-your-writes", in: .registers, driver: { StaleCache(keepsFirst: false) }),
        Defect(
            "lagging-replica", .holders, "a read now and then goes to a replica that hangs behind",
            breaks: "monotonic-reads", in: .registers, driver: { StaleCache(keepsFirst: true) }),
    ]
}

/// Answers one read in ten with what the same key had earlier: the last time, or the first. The number that came with the
/// statement is its own, as it would be on a replica.
private struct StaleCache: DriverDefect {
    let keepsFirst: Bool
    private let known = Memory<[SQLValue: SQLValue]>([:])
    private let tally = Tally()

    init(keepsFirst: Bool) { self.keepsFirst = keepsFirst }

    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        var result = try await connection.base.execute(statement, deadline: deadline)
        guard statement.role == .read, statement.parameters.count == 2, result.rows.first?.count == 2 else {
            return result
        }
        let key = statement.parameters[0]
        let value = result.rows[0][0]
        let isStale = tally.isEvery(10)
        let old = known.withLock { known in
            defer { if known[key] == nil || !keepsFirst && !isStale { known[key] = value } }
            return known[key]
        }
        if isStale, let old { result.rows[0][0] = old }
        return result
    }
}
