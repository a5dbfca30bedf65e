package import RigModel
import Threading

/// The database takes no new connections, as while it is renamed, restored or retired. Open sessions live on.
///
/// Landed: a new connection of the pool's role gets 55000.
package struct ConnectionsDisallowed: Fault {
    package static let shape = Shape(
        name: "connections-disallowed",
        summary: "the database takes no new connections (ALLOW_CONNECTIONS false, 55000)",
        parameters: [
            Parameter("database", .text, summary: "its name; the pool's when left out")
        ], isLasting: true)

    private let database: String?

    package init(_ parameters: Parameters) { database = parameters.text("database") }

    package var needs: Set<StagePart> { [.server, .statements, .settings] }
    // Not even the rig is let in, which many a fault needs: to begin, to look, or to heal.
    package var claims: Set<Claim> { [.authentication, .rigSessions] }
    package var ownDuration: Duration? { nil }
    package var detail: String { database ?? "the pool's database" }
    package func makeInjection(seed: UInt64) -> any Injection { ClosedDatabase(name: database) }

    private actor ClosedDatabase: Injection {
        private static let limit = Duration.seconds(10)
        private static let codes: Set<String> = ["55000"]

        private var name: String?
        /// The rig's own sessions are in the pool's database.
        private var isOurs = true
        /// What held when the fault began; `nil` when nothing is changed.
        private var before: Bool?

        init(name: String?) { self.name = name }

        func inject(on stage: FaultStage) async throws {
            let statements = try stage.needed(stage.statements, .statements)
            let current = try await statements.run("SELECT current_database()", within: Self.limit).first?.first ?? nil
            let chosen = name ?? current ?? ""
            name = chosen
            isOurs = chosen == current
            before = try await isAllowed(statements)
            try await allow(false, on: stage)
        }

        private func isAllowed(_ statements: any StatementControl) async throws -> Bool {
            let literal = (name ?? "").replacing("'", with: "''")
            let rows = try await statements.run(
                "SELECT datallowconn::text FROM pg_database WHERE datname = '\(literal)'", within: Self.limit)
            guard let value = rows.first?.first ?? nil else {
                throw InjectionError("the server has no database \"\(name ?? "")\"")
            }
            return value == "true"
        }

        private func allow(_ isAllowed: Bool, on stage: FaultStage) async throws {
            let quoted = (name ?? "").replacing("\"", with: "\"\"")
            let text = "ALTER DATABASE \"\(quoted)\" ALLOW_CONNECTIONS \(isAllowed)"
            // A session cannot close the database that it is in.
            if isOurs {
                try await stage.needed(stage.server, .server).runInMaintenanceDatabase(text, within: Self.limit)
            } else {
                try await stage.needed(stage.statements, .statements).run(text, within: Self.limit)
            }
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let server = stage.server else { return Landing(landed: false, evidence: ["reason": "no server"]) }
            let answer = await server.answer(orRefusalBy: Self.codes)
            let hasLanded = Self.codes.contains(answer.sqlState ?? "")
            var evidence: [JSONValue.Member] = [
                .init("database", JSONValue(name)), .init("connect", .string(answer.words)),
            ]
            if !hasLanded { evidence.append(.init("reason", "a connection of the pool's role was not refused")) }
            return Landing(landed: hasLanded, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            guard let before else { return ["nothing_to_undo": true] }
            try await Retrying.undo { try await allow(before, on: stage) }
            try await stage.needed(stage.server, .server).waitUntilServing(without: Self.codes, within: Self.limit)
            self.before = nil
            return ["connections_allowed": .bool(before)]
        }
    }
}
