/// A connection pool that can be tried: two methods, and three more where the pool knows more.
///
/// ```swift
/// extension MyPool: RigPool {
///     func withConnection(_ use: RigUse<MyConnection>) async throws {
///         let connection = try await acquire()
///         defer { release(connection) }
///         try await use(connection)
///     }
/// }
/// ```
///
/// The rig calls these from many tasks at the same time, some of which it cancels, as callers do.
public protocol RigPool: Sendable {
    associatedtype Connection: RigConnection

    /// Borrows a connection, does `use` with it once, and gives it back, however `use` ended.
    ///
    /// What this takes before `use` begins is judged as the wait for a connection, and what it takes afterwards as the release.
    ///
    /// - Throws: what `use` threw, as it was, or why there was no connection.
    func withConnection(_ use: RigUse<Connection>) async throws

    /// Ends the pool: afterwards no connection may be left. Called once, at the end of a run.
    func close() async

    /// How many connections the pool has now; `nil` (the default): it does not tell. Called often; must not wait.
    ///
    /// With it, the pool's own count is compared with the server's and with the sockets, and the time until all connections are
    /// back after a fault is measured.
    var gauges: RigGauges? { get }

    /// What an error that this pool threw means. By default only `CancellationError` is known, and everything else counts as a
    /// lost connection, of which nothing may be concluded: writes that failed so count neither as done nor as not done.
    func failure(of error: any Error) -> RigFailure
}

extension RigPool {
    public var gauges: RigGauges? { nil }

    public func failure(of error: any Error) -> RigFailure { error is CancellationError ? .cancelled : .unknown }
}

/// A connection of a pool, while it is lent.
public protocol RigConnection: Sendable {
    /// Runs one statement to its end.
    ///
    /// - Parameters:
    ///   - sql: with `$1`, `$2`, … for the parameters. Also `BEGIN`, `COMMIT` and `ROLLBACK`.
    ///   - parameters: in order.
    /// - Returns: the rows. All values may be ``RigValue/text(_:)``, as the server writes them.
    func query(_ sql: String, _ parameters: [RigValue]) async throws -> [[RigValue]]

    /// The server process that serves this connection (libpq: `PQbackendPID`), by which connections are told apart.
    ///
    /// By default `nil`: then the rig asks the server at the beginning of each use, which is a round trip more, and finds a dead
    /// connection before the statement does that the use is about. A property of the type `Int` does not take its place: it must
    /// be an `Int?`.
    var backendPID: Int? { get }
}

extension RigConnection {
    public var backendPID: Int? { nil }
}

/// What the rig does with a connection. Call it like a function.
public struct RigUse<Connection: Sendable>: Sendable {
    private let body: @Sendable (Connection) async throws -> Void

    init(_ body: @escaping @Sendable (Connection) async throws -> Void) { self.body = body }

    public func callAsFunction(_ connection: Connection) async throws { try await body(connection) }
}
