package import ConnectionPool
package import Threading

/// What a defect does to the calls between pool and driver. Each has the honest call as its default. Called on any thread.
package protocol DriverDefect: Sendable {
    func connect(
        by driver: any Driver, deadline: MonotonicInstant
    ) async throws(DriverError) -> any DriverConnection
    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult
    func check(_ connection: PlantedConnection, deadline: MonotonicInstant) async throws(DriverError)
    func reset(
        _ connection: PlantedConnection, _ policy: ResetPolicy, deadline: MonotonicInstant
    ) async throws(DriverError)
    func close(_ connection: PlantedConnection, deadline: MonotonicInstant) async
    /// - Parameter honest: what the connection itself says.
    func looksAlive(_ connection: PlantedConnection, honest: Bool) -> Bool
    func status(of connection: PlantedConnection, honest: TransactionStatus) -> TransactionStatus
    /// Whether the pool hears what a connection sees while it is idle.
    var hearsIdleConnections: Bool { get }
}

extension DriverDefect {
    package func connect(
        by driver: any Driver, deadline: MonotonicInstant
    ) async throws(DriverError) -> any DriverConnection { try await driver.connect(deadline: deadline) }

    package func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult { try await connection.base.execute(statement, deadline: deadline) }

    package func check(_ connection: PlantedConnection, deadline: MonotonicInstant) async throws(DriverError) {
        try await connection.base.check(deadline: deadline)
    }

    package func reset(
        _ connection: PlantedConnection, _ policy: ResetPolicy, deadline: MonotonicInstant
    ) async throws(DriverError) { try await connection.base.reset(policy, deadline: deadline) }

    package func close(_ connection: PlantedConnection, deadline: MonotonicInstant) async {
        await connection.base.close(deadline: deadline)
    }

    package func looksAlive(_ connection: PlantedConnection, honest: Bool) -> Bool { honest }

    package func status(of connection: PlantedConnection, honest: TransactionStatus) -> TransactionStatus { honest }

    package var hearsIdleConnections: Bool { true }
}
