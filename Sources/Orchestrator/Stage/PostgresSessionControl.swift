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
        return probe.sessions(in: result).map { seen in
            var session = ServerSession(
                pid: seen.pid, startedAt: seen.startedAt, state: seen.state, ageSeconds: seen.ageSeconds)
            session.clientAddress = seen.clientAddress
            session.clientPort = seen.clientPort
            session.statementStartedAt = seen.statementStartedAt
            return session
        }
    }

    func terminate(_ sessions: [ServerSession]) async throws -> [ServerSession] {
        guard !sessions.isEmpty else { return [] }
        let answer = try await admin.run(
            probe.terminate(sessions.map { ($0.pid, $0.startedAt) }), within: Self.statementLimit)
        // One that is not in the answer was gone before: the pool itself may have closed it.
        let signalled = probe.terminated(in: answer)
        // pg_terminate_backend only sends a signal: what counts is that the session is gone.
        return try await waitUntilGone(sessions.filter { signalled.contains($0.pid) })
    }

    func waitUntilGone(_ sessions: [ServerSession]) async throws -> [ServerSession] {
        guard !sessions.isEmpty else { return [] }
        return try await waitUntilOver(sessions) { session, now in
            !now.contains { $0.pid == session.pid && $0.startedAt == session.startedAt }
        }
    }

    func cancelStatements(atMost limit: Int, share: Double, seed: UInt64) async throws -> [ServerSession] {
        let answer = try await admin.run(
            probe.cancel(atMost: limit, share: share, seed: seed), within: Self.statementLimit)
        let signalled = probe.cancelled(in: answer).map { seen in
            var session = ServerSession(pid: seen.pid, startedAt: seen.startedAt, state: "active", ageSeconds: 0)
            session.statementStartedAt = seen.statementStartedAt
            return session
        }
        guard !signalled.isEmpty else { return [] }
        return try await waitUntilOver(signalled) { session, now in
            !now.contains {
                $0.pid == session.pid && $0.startedAt == session.startedAt && $0.state == "active"
                    && $0.statementStartedAt == session.statementStartedAt
            }
        }
    }

    /// - Returns: those of which it is true, as soon as it is of all, or at the limit.
    private func waitUntilOver(
        _ sessions: [ServerSession], _ isOver: (ServerSession, _ now: [ServerSession]) -> Bool
    ) async throws -> [ServerSession] {
        let giveUpAt = runtime.now.advanced(by: Self.goneLimit)
        while true {
            let now = try await self.sessions()
            let over = sessions.filter { isOver($0, now) }
            if over.count == sessions.count || runtime.now >= giveUpAt { return over }
            try await runtime.sleep(until: runtime.now.advanced(by: .milliseconds(10)))
        }
    }
}
