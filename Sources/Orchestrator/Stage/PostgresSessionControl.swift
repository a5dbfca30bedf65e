import ConnectionPool
import FaultInjection
import PostgresDriver
import Probes
import Threading

/// Power over the pool's sessions, through the rig's own connection.
struct PostgresSessionControl: SessionControl {
    private static let statementLimit = Duration.seconds(2)
    private static let goneLimit = Duration.seconds(2)

    let admin: AdminSession<PostgresDriver>
    let probe: ServerSessionProbe
    let runtime: LoopRuntime

    func sessions() async throws -> [ServerSession] {
        let result = try await admin.run(probe.list, within: Self.statementLimit)
        return probe.sessions(in: result).map {
            ServerSession(pid: $0.pid, startedAt: $0.startedAt, state: $0.state, ageSeconds: $0.ageSeconds)
        }
    }

    func terminate(_ sessions: [ServerSession]) async throws -> [ServerSession] {
        guard !sessions.isEmpty else { return [] }
        _ = try await admin.run(
            probe.terminate(sessions.map { ($0.pid, $0.startedAt) }), within: Self.statementLimit)
        let giveUpAt = runtime.now.advanced(by: Self.goneLimit)
        while true {
            // pg_terminate_backend only sends a signal: what counts is that the session is gone.
            let alive = Set(try await self.sessions().map { "\($0.pid) \($0.startedAt)" })
            let gone = sessions.filter { !alive.contains("\($0.pid) \($0.startedAt)") }
            if gone.count == sessions.count || runtime.now >= giveUpAt { return gone }
            try await runtime.sleep(until: runtime.now.advanced(by: .milliseconds(10)))
        }
    }
}
