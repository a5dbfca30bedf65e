package import RigModel
import Threading

/// The pooler holds everybody back while an operator works on the server (`PAUSE`, `RESUME`). Connections stay, queries
/// wait.
///
/// Landed: the console says that the database is paused, no server connection is left, and clients of the pool wait.
package struct PoolerPause: Fault {
    package static let shape = Shape(
        name: "pgbouncer-pause", summary: "the PgBouncer in front lets all queries wait (PAUSE, RESUME)",
        parameters: [
            Parameter(
                "patience", .duration, default: .duration(.seconds(3)),
                summary: "how long to wait for the transactions (session pooling: the clients) that are still there")
        ], isLasting: true)

    private let patience: Duration

    package init(_ parameters: Parameters) { patience = parameters.duration("patience") ?? .seconds(3) }

    package var needs: Set<StagePart> { [.pooler] }
    package var capabilities: [Set<Capability>] { [[.pgBouncer]] }
    package var claims: Set<Claim> { [.poolerLife] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "within \(patience.words)" }
    package func makeInjection(seed: UInt64) -> any Injection { PausedDatabase(patience: patience) }

    private actor PausedDatabase: Injection {
        private static let proofLimit = Duration.seconds(10)

        private let patience: Duration
        private var hasBegun = false
        private var refusal: String?
        private var pausingTook = Duration.zero
        private var mostWaiting = 0

        init(patience: Duration) { self.patience = patience }

        func inject(on stage: FaultStage) async throws {
            let pooler = try stage.needed(stage.pooler, .pooler)
            hasBegun = true
            let startedAt = MonotonicInstant.now
            do {
                // Answers when the last server connection is closed.
                _ = try await pooler.console("PAUSE \(type(of: pooler).quoted(pooler.database))", within: patience)
            } catch {
                refusal = "\(error)"
                // A half pause goes on without its console: it must not hold back what it cannot stop.
                try await pooler.resume(pooler.database)
            }
            pausingTook = startedAt.duration(to: .now)
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let pooler = stage.pooler, refusal == nil else {
                return Landing(
                    landed: false,
                    evidence: [
                        "reason": .string(
                            "PAUSE did not end within \(patience.words) (\(refusal ?? "no PgBouncer")): clients keep "
                                + "their server connections")
                    ])
            }
            var isPaused = false
            var serversLeft: Int?
            let isProven = await eventually(within: Self.proofLimit) {
                isPaused = (try? await pooler.isPaused(pooler.database)) ?? false
                serversLeft = try? await pooler.servers(of: pooler.database).count
                let waiting = (try? await pooler.clients(of: pooler.database))?.count(where: \.isWaiting) ?? 0
                mostWaiting = max(mostWaiting, waiting)
                return isPaused && serversLeft == 0 && waiting > 0
            }
            var evidence: [JSONValue.Member] = [
                .init("pausing_took_s", .double(pausingTook.seconds)), .init("paused", .bool(isPaused)),
                .init("server_connections", JSONValue(serversLeft)), .init("clients_waiting", JSONValue(mostWaiting)),
            ]
            if !isProven { evidence.append(.init("reason", "no client of the pool had to wait")) }
            return Landing(landed: isProven, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let pooler = try stage.needed(stage.pooler, .pooler)
            guard hasBegun else { return ["nothing_to_undo": true] }
            try await pooler.resume(pooler.database)
            hasBegun = false
            return ["clients_seen_waiting": JSONValue(mostWaiting)]
        }
    }
}
