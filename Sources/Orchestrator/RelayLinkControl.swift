import ConnectionPool
import FaultInjection
import FaultProxy
import PostgresDriver
import RigModel
import Threading

/// The way between pool and server as faults see it: the rig's relay, and a connection of its own through it.
struct RelayLinkControl: LinkControl {
    let relay: Relay
    let loopbackServerPort: UInt16?
    /// Connects through the relay, like the pool.
    let session: AdminSession<PostgresDriver>

    var hasRelay: Bool { true }

    func delay(latency: Duration, jitter: Duration) async throws {
    }

    func clearDelay() async throws {
        // A socket of the rig on the pool's way would be counted as the pool's.
        await session.close()
    }

    func delayedChunks() async -> (count: Int, medianHold: Duration) { (0, .zero) }

    func roundTrip(within limit: Duration) async throws -> Duration {
        let question = SQLStatement("SELECT 1", role: .read)
        // The first one may have to connect; only the second one is measured.
        _ = try await session.run(question, within: limit)
        let startedAt = MonotonicInstant.now
        _ = try await session.run(question, within: limit)
        return startedAt.duration(to: .now)
    }
}
