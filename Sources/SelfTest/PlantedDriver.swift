package import ConnectionPool
package import Threading

/// A driver with a defect.
package struct PlantedDriver: Driver {
    private let base: any Driver
    private let defect: any DriverDefect

    package init(_ base: any Driver, _ defect: any DriverDefect) {
        self.base = base
        self.defect = defect
    }

    package func connect(deadline: MonotonicInstant) async throws(DriverError) -> PlantedConnection {
        let connection = try await defect.connect(by: base, deadline: deadline)
        return PlantedConnection(connection, driver: base, defect: defect)
    }

    package var statementCacheCounts: StatementCacheCounts { base.statementCacheCounts }
    package var dialect: any SQLDialect { base.dialect }
}

/// A connection with its driver's defect.
package final class PlantedConnection: DriverConnection {
    /// The driver that opened it, for defects that open more.
    let driver: any Driver
    private let defect: any DriverDefect
    private let current: Lock<any DriverConnection>
    /// What the defect remembers about it.
    let isMarked = Lock(false)

    init(_ base: any DriverConnection, driver: any Driver, defect: any DriverDefect) {
        current = Lock(base)
        self.driver = driver
        self.defect = defect
    }

    /// The real one; a defect may put another in its place.
    var base: any DriverConnection { current.withLock { $0 } }

    func replace(with other: any DriverConnection) { current.withLock { $0 = other } }

    package var backendPID: Int? { base.backendPID }
    package var affinity: Int32 { base.affinity }
    package var transactionStatus: TransactionStatus { defect.status(of: self, honest: base.transactionStatus) }
    package func looksAlive() -> Bool { defect.looksAlive(self, honest: base.looksAlive()) }

    package func looksAlive(idleNanoseconds: UInt64) -> Bool {
        defect.looksAlive(self, honest: base.looksAlive(idleNanoseconds: idleNanoseconds))
    }

    package func onIdleEvent(_ notice: @escaping @Sendable () -> Void) {
        if defect.hearsIdleConnections { base.onIdleEvent(notice) }
    }

    package func execute(_ statement: SQLStatement, deadline: MonotonicInstant) async throws(DriverError) -> SQLResult {
        try await defect.execute(statement, on: self, deadline: deadline)
    }

    package func execute(
        batch: [SQLStatement], atomicity: BatchAtomicity, deadline: MonotonicInstant
    ) async -> [Result<SQLResult, DriverError>] {
        await base.execute(batch: batch, atomicity: atomicity, deadline: deadline)
    }

    package func check(deadline: MonotonicInstant) async throws(DriverError) {
        try await defect.check(self, deadline: deadline)
    }

    package func reset(_ policy: ResetPolicy, deadline: MonotonicInstant) async throws(DriverError) {
        try await defect.reset(self, policy, deadline: deadline)
    }

    package func cancelRunningStatement(deadline: MonotonicInstant) async {
        await base.cancelRunningStatement(deadline: deadline)
    }

    package func close(deadline: MonotonicInstant) async { await defect.close(self, deadline: deadline) }
    package func abort() { base.abort() }
}
