package import HostSystem

/// A PgBouncer that is the run's own, between pool and server. What it holds goes with the run's folder.
package protocol PoolerControl: Sendable {
    /// The name of the pool's database in it.
    var database: String { get }
    /// `nil` when it does not run.
    func process() async -> ProcessIdentity?
    func signal(_ number: Int32) async throws
    /// - Returns: `false` when it still runs at the limit.
    func waitUntilStopped(within limit: Duration) async -> Bool
    /// Starts it and returns when it takes clients. Does nothing when it runs.
    func start(within limit: Duration) async throws

    /// Runs one command on its admin console.
    ///
    /// - Returns: its rows, values by column; no value for NULL.
    func console(_ command: String, within limit: Duration) async throws(StatementFailure) -> [[String: String]]
    /// Where its log ends now.
    func logPosition() async -> Int
    /// Whole lines that were written since then, oldest first.
    func logLines(since position: Int) async -> [String]

    /// Logs in through it as the pool does, beside the pool, and runs `SELECT 1`: a login alone needs no server.
    func tryQuery(within limit: Duration) async -> ConnectAnswer
}
