import ConnectionPool
import FaultInjection
import PostgresDriver
import RigModel
import Threading
import Workloads

/// Statements beside the pool, over connections of the rig's own that no fault disturbs. Thread-safe.
final class PostgresStatementControl: StatementControl {
    private let admin: AdminSession<PostgresDriver>
    /// How faults reach the server; the role is put in for each session.
    private let url: String
    private let route: PostgresRoute?
    private let application: String
    private let schema: WorkloadSchema
    /// Of the rig's own sessions.
    private let ownOptions: String?
    private let makeDriver: @Sendable (PostgresConfiguration) -> PostgresDriver
    /// And some that are closed: those are forgotten when the next one is opened.
    private let open = Lock<[PostgresFaultSession]>([])
    let poolRole: String

    /// - Parameters:
    ///   - admin: connected as the rig.
    ///   - url: of the way that no fault disturbs.
    ///   - route: where that leads, when the server has moved.
    init(
        admin: AdminSession<PostgresDriver>, url: String, route: PostgresRoute?, poolRole: String, runID: String,
        schema: WorkloadSchema, ownOptions: String?,
        makeDriver: @escaping @Sendable (PostgresConfiguration) -> PostgresDriver
    ) {
        self.admin = admin
        self.url = url
        self.route = route
        self.poolRole = poolRole
        self.schema = schema
        self.ownOptions = ownOptions
        self.makeDriver = makeDriver
        application = "chaosrig-fault/\(runID)"
    }

    var appendsTable: String { schema.appendsTable }
    var accountsTable: String { schema.accountsTable }
    var prefix: String { schema.prefix }

    @discardableResult
    func run(_ sql: String, within limit: Duration) async throws(StatementFailure) -> [[String?]] {
        do throws(DriverError) {
            return try await admin.run(SQLStatement(sql, role: .write), within: limit).texts
        } catch {
            throw StatementFailure(error)
        }
    }

    func openSession(as role: String?) async throws(StatementFailure) -> any FaultSession {
        try await openSession(as: role, options: role == nil ? ownOptions : nil)
    }

    /// A session that has nothing but the server's settings.
    func openPlainSession() async throws(StatementFailure) -> any FaultSession {
        try await openSession(as: nil, options: nil)
    }

    private func openSession(as role: String?, options: String?) async throws(StatementFailure) -> any FaultSession {
        let configuration: PostgresConfiguration
        do throws(PostgresConfigurationError) {
            var own = try PostgresConfiguration(url: url)
            own.applicationName = application
            own.route = route
            own.user = role ?? own.user
            own.extraOptions = options
            configuration = own
        } catch {
            throw StatementFailure(sqlState: nil, message: "\(error)")
        }
        do throws(DriverError) {
            let connection = try await makeDriver(configuration).connect(deadline: .now.advanced(by: .seconds(15)))
            let session = PostgresFaultSession(connection)
            open.withLock { open in
                open.removeAll(where: \.isClosed)
                open.append(session)
            }
            return session
        } catch {
            throw StatementFailure(error)
        }
    }

    /// Closes what faults left open.
    func close() async {
        for session in open.withLock({ $0.takeAll() }) { await session.close() }
    }
}

/// A connection that a fault keeps.
final class PostgresFaultSession: FaultSession {
    private let gate = SerialGate()
    private let connection: Lock<PostgresDriver.Connection?>
    let pid: Int32

    init(_ connection: PostgresDriver.Connection) {
        pid = Int32(truncatingIfNeeded: connection.backendPID ?? 0)
        self.connection = Lock(connection)
    }

    @discardableResult
    func run(_ sql: String, within limit: Duration) async throws(StatementFailure) -> [[String?]] {
        let deadline = MonotonicInstant.now.advanced(by: limit)
        let outcome = await gate.pass { () async -> Result<[[String?]], StatementFailure> in
            guard let connection = connection.withLock({ $0 }) else {
                return .failure(StatementFailure(sqlState: nil, message: "the fault's session is closed"))
            }
            do throws(DriverError) {
                return .success(
                    try await connection.execute(SQLStatement(sql, role: .write), deadline: deadline).texts)
            } catch {
                return .failure(StatementFailure(error))
            }
        }
        return try outcome.get()
    }

    var isClosed: Bool { connection.withLock { $0 == nil } }

    func close() async {
        // Not through the gate: a statement that waits for a lock is cut.
        let open = connection.withLock { $0.take() }
        open?.abort()
        await open?.close(deadline: MonotonicInstant.now.advanced(by: .seconds(1)))
    }
}

extension StatementFailure {
    init(_ error: DriverError) { self.init(sqlState: error.cause.code, message: error.message) }
}

extension SQLResult {
    /// All values as text.
    fileprivate var texts: [[String?]] {
        rows.map { row in
            row.map { value in
                switch value {
                case .null: nil
                case .int(let number): "\(number)"
                case .double(let number): "\(number)"
                case .bool(let flag): flag ? "t" : "f"
                case .text(let text): text
                }
            }
        }
    }
}

extension Array {
    fileprivate mutating func takeAll() -> [Element] {
        defer { removeAll() }
        return self
    }
}
