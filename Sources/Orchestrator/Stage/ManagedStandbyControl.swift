import ConnectionPool
import DatabaseServers
import FaultInjection
import FaultProxy
import HostSystem
import PostgresDriver
import RigModel
import Threading

/// The standby of the private server as faults see it.
struct ManagedStandbyControl: StandbyControl {
    private static let statementLimit = Duration.seconds(5)

    let standby: ManagedPostgres
    let current: CurrentServer
    let primary: any StatementControl
    /// The rig's own connection to the standby.
    let session: AdminSession<PostgresDriver>
    /// `nil` where the pool has none: then no fault may move it.
    let relay: PoolRelay?

    func isFollowing() async -> Bool {
        let rows = try? await primary.run(
            "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'",
            within: Self.statementLimit)
        return rows?.first?.first.flatMap { $0 } == "1"
    }

    func isInRecovery() async -> Bool? {
        let answer = try? await session.run(
            SQLStatement("SELECT pg_is_in_recovery()::text", role: .read), within: Self.statementLimit)
        return answer?.rows.first?.first?.textValue.map { $0 == "true" }
    }

    func promote(within limit: Duration) async throws {
        let seconds = max(1, Int(limit.seconds))
        let answer = try await session.run(
            SQLStatement("SELECT pg_promote(true, \(seconds))::text", role: .write), within: limit + .seconds(1))
        guard answer.rows.first?.first?.textValue == "true" else {
            throw RunError.internalFailure("the standby was not promoted within \(seconds) s")
        }
        current.move(to: standby)
    }

    func movePool() async {
        guard let relay else { return }
        let address = ProxyAddress.tcp(host: "127.0.0.1", port: standby.port)
        await onOwnThread("move relay") { relay.relay.move(to: address) }
    }
}
