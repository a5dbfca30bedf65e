import ConnectionPool
import Workloads

/// A user's pool in the rig's words.
struct PoolBridge<Pool: RigPool>: ScopedPool {
    let pool: Pool

    func withConnection(_ work: @escaping @Sendable (any ScopedConnection) async throws -> Void) async throws {
        try await pool.withConnection(RigUse { try await work(ConnectionBridge(connection: $0)) })
    }

    func close() async { await pool.close() }

    var gauges: PoolGauges? {
        pool.gauges.map { told in
            var gauges = PoolGauges()
            gauges.open = told.open
            gauges.idle = told.idle
            gauges.inUse = told.open - told.idle
            gauges.connecting = told.connecting
            gauges.waiting = told.waiting
            return gauges
        }
    }

    func failure(of error: any Error) -> ScopedFailure {
        let words = String("\(error)".prefix(500))
        func failure(_ failureClass: String, _ sqlState: String? = nil) -> ScopedFailure {
            ScopedFailure(failureClass: failureClass, sqlState: sqlState, message: words)
        }
        return switch pool.failure(of: error) {
        case .server(let state): failure("sql", state)
        case .timedOut: failure("timed-out")
        case .cancelled: failure("cancelled")
        case .connectFailed: failure("connect-failed")
        case .refused: failure("pool-refused")
        case .connectionLost: failure("connection-lost")
        case .unknown: failure("unknown")
        }
    }
}

private struct ConnectionBridge<Connection: RigConnection>: ScopedConnection {
    let connection: Connection

    var backendPID: Int? { connection.backendPID }

    func execute(_ statement: SQLStatement) async throws -> SQLResult {
        let rows = try await connection.query(statement.text, statement.parameters.map { RigValue($0) })
        return SQLResult(rows: rows.map { row in row.map { SQLValue($0) } })
    }
}

extension RigValue {
    init(_ value: SQLValue) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .int(number)
        case .double(let number): self = .double(number)
        case .text(let text): self = .text(text)
        }
    }
}

extension SQLValue {
    /// Drivers that read the text format return numbers as text: what the rig compares as a number must be one.
    init(_ value: RigValue) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .int(number)
        case .double(let number): self = .double(number)
        case .text(let text): self = Int64(text).map { .int($0) } ?? .text(text)
        }
    }
}
