package import RigModel
import Threading

/// The pooler drops every client and server connection of a database at once (`KILL`), and lets newcomers wait until it is
/// resumed.
///
/// Landed: the pool's connections from before are gone from `SHOW CLIENTS`, and the database is paused.
package struct PoolerKill: Fault {
    package static let shape = Shape(
        name: "pgbouncer-kill",
        summary: "the PgBouncer in front drops all connections of the database; new ones wait (KILL, RESUME)",
        parameters: [
            Parameter("database", .text, summary: "its name in PgBouncer; the pool's when left out"),
            Parameter(
                "down-for", .duration, default: .duration(.milliseconds(500)), summary: "how long newcomers wait"),
        ])

    private let database: String?
    private let downFor: Duration

    package init(_ parameters: Parameters) {
        database = parameters.text("database")
        downFor = parameters.duration("down-for") ?? .milliseconds(500)
    }

    package var needs: Set<StagePart> { [.pooler] }
    package var capabilities: [Set<Capability>] { [[.pgBouncer]] }
    package var claims: Set<Claim> { [.poolerLife] }
    package var ownDuration: Duration? { downFor }
    package var detail: String { "\(database ?? "the pool's database"), resumed after \(downFor.words)" }
    package func makeInjection(seed: UInt64) -> any Injection { KilledDatabase(name: database) }

    private actor KilledDatabase: Injection {
        private static let limit = Duration.seconds(5)

        private let name: String?
        private var before: [PoolerClient] = []
        private var serversBefore = 0
        private var logStart = 0
        private var isKilled = false

        init(name: String?) { self.name = name }

        func inject(on stage: FaultStage) async throws {
            let pooler = try stage.needed(stage.pooler, .pooler)
            let database = name ?? pooler.database
            // The pool's own: whoever else is on another database is none of ours.
            before = try await pooler.clients(of: pooler.database)
            serversBefore = try await pooler.servers(of: pooler.database).count
            logStart = await pooler.logPosition()
            isKilled = true
            _ = try await pooler.console(
                "KILL \(type(of: pooler).quoted(database))", within: Self.limit)
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let pooler = stage.pooler else { return Landing(landed: false, evidence: ["reason": "no PgBouncer"]) }
            do {
                let now = Set(try await pooler.clients(of: pooler.database).map(\.name))
                let gone = before.count { !now.contains($0.name) }
                let isPaused = try await pooler.isPaused(name ?? pooler.database)
                var evidence: [JSONValue.Member] = [
                    .init("clients_before", JSONValue(before.count)), .init("clients_gone", JSONValue(gone)),
                    .init("server_connections_before", JSONValue(serversBefore)),
                    .init(
                        "logged", JSONValue(await pooler.logged("closing because: database removed", since: logStart))),
                    .init("paused", .bool(isPaused)),
                ]
                let hasLanded = isPaused && gone > 0 && gone == before.count
                if !hasLanded {
                    evidence.append(
                        .init(
                            "reason",
                            before.isEmpty
                                ? "the pool had no connection" : "connections of the pool are still there"))
                }
                return Landing(landed: hasLanded, evidence: .object(evidence))
            } catch {
                return Landing(landed: false, evidence: ["reason": .string("the console: \(error)")])
            }
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let pooler = try stage.needed(stage.pooler, .pooler)
            guard isKilled else { return ["nothing_to_undo": true] }
            try await pooler.resume(name ?? pooler.database)
            isKilled = false
            return ["clients_now": JSONValue(try await pooler.clients(of: pooler.database).count)]
        }
    }
}
