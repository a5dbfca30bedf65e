package import RigModel
import Threading

/// The pooler replaces its server connections, each as soon as no client has it (`RECONNECT`): after a change of the
/// server's address. Behind transaction pooling no client may notice, but everything that a session remembered is lost.
///
/// Landed: every server process from before is gone from `SHOW SERVERS`.
package struct PoolerReconnect: Fault {
    package static let shape = Shape(
        name: "pgbouncer-reconnect", summary: "the PgBouncer in front replaces its server connections (RECONNECT)",
        parameters: [
            Parameter(
                "patience", .duration, default: .duration(.seconds(5)),
                summary: "how long to wait for connections that clients still have")
        ])

    private let patience: Duration

    package init(_ parameters: Parameters) { patience = parameters.duration("patience") ?? .seconds(5) }

    package var needs: Set<StagePart> { [.pooler] }
    package var capabilities: [Set<Capability>] { [[.pgBouncer]] }
    package var claims: Set<Claim> { [.poolerLife] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "all server connections" }
    package func makeInjection(seed: UInt64) -> any Injection { Renewal(patience: patience) }

    private actor Renewal: Injection {
        private static let limit = Duration.seconds(5)

        private let patience: Duration
        private var before: Set<Int32> = []
        private var replaced = 0

        init(patience: Duration) { self.patience = patience }

        func inject(on stage: FaultStage) async throws {
            let pooler = try stage.needed(stage.pooler, .pooler)
            before = Set(try await pooler.servers(of: pooler.database).map(\.backend))
            _ = try await pooler.console("RECONNECT \(type(of: pooler).quoted(pooler.database))", within: Self.limit)
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let pooler = stage.pooler, !before.isEmpty else {
                return Landing(landed: false, evidence: ["reason": "PgBouncer had no connection to the server"])
            }
            let startedAt = MonotonicInstant.now
            var now: [PoolerServer] = []
            let isProven = await eventually(within: patience) {
                guard let seen = try? await pooler.servers(of: pooler.database) else { return false }
                now = seen
                return before.isDisjoint(with: seen.map(\.backend))
            }
            let kept = now.filter { before.contains($0.backend) }
            replaced = before.count - kept.count
            var evidence: [JSONValue.Member] = [
                .init("backends_before", .array(before.sorted().map { JSONValue($0) })),
                .init("backends_now", .array(now.map(\.backend).sorted().map { JSONValue($0) })),
                .init("took_s", .double(startedAt.duration(to: .now).seconds)),
            ]
            if !isProven {
                evidence.append(
                    .init(
                        "reason",
                        .string(
                            "\(kept.count) of \(before.count) server connections are still lent to clients after "
                                + patience.words)))
            }
            return Landing(landed: isProven, evidence: .object(evidence))
        }

        /// There is nothing to undo: what was closed is replaced by PgBouncer when a client needs it.
        func heal(on stage: FaultStage) async throws -> JSONValue { ["replaced": JSONValue(replaced)] }
    }
}
