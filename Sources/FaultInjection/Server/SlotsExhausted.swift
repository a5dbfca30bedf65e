package import RigModel
import Threading

/// Somebody else holds the server's connection slots: a second fleet, a deploy, a leak elsewhere. Sessions of the pool live
/// on, but the slots that they give up are taken too.
///
/// Landed: a new connection of the pool's role gets 53300.
package struct SlotsExhausted: Fault {
    package static let shape = Shape(
        name: "slots-exhausted", summary: "other sessions take the server's connection slots (53300)",
        parameters: [
            Parameter(
                "free", .count, default: .count(0),
                summary: "how many slots are left to the pool, those that it holds counted in")
        ], isLasting: true)

    private let free: Int

    package init(_ parameters: Parameters) { free = parameters.count("free") ?? 0 }

    package var needs: Set<StagePart> { [.server, .statements, .settings] }
    package var claims: Set<Claim> { [.connectionSlots] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "\(free) slots left to the pool" }
    package func makeInjection(seed: UInt64) -> any Injection { Fill(free: free) }

    private actor Fill: Injection {
        private static let statementLimit = Duration.seconds(5)
        private static let goneLimit = Duration.seconds(10)

        private let free: Int
        private var fillers: [any FaultSession] = []
        private var filling: Task<Void, Never>?
        private var mostFillers = 0
        private var failures = 0
        private var roleIsMade = false

        init(free: Int) { self.free = free }

        func inject(on stage: FaultStage) async throws {
            let statements = try stage.needed(stage.statements, .statements)
            let role = Self.role(statements)
            for text in ["DROP ROLE IF EXISTS \(role)", "CREATE ROLE \(role) LOGIN"] {
                try await statements.run(text, within: Self.statementLimit)
            }
            roleIsMade = true
            try await fill(statements)
            filling = Task {
                while (try? await Task.sleep(for: .milliseconds(50))) != nil {
                    // The server may be away for a moment: another fault may have stopped it.
                    do { try await fill(statements) } catch { failures += 1 }
                }
            }
        }

        private static func role(_ statements: any StatementControl) -> String { "\(statements.prefix)_filler" }

        /// Opens as many sessions as there are slots beyond those that are left to the pool, and those of the rig.
        private func fill(_ statements: any StatementControl) async throws(StatementFailure) {
            let role = Self.role(statements)
            // No session but the pool's and the fillers' may be pushed out: what they hold is left out of the sum.
            let rows = try await statements.run(
                """
                SELECT current_setting('max_connections')::int
                     - current_setting('superuser_reserved_connections')::int
                     - coalesce(current_setting('reserved_connections', true)::int, 0)
                     - count(*) FILTER (WHERE usename NOT IN ('\(statements.poolRole)', '\(role)')),
                       string_agg(pid::text, ',') FILTER (WHERE usename = '\(role)')
                  FROM pg_stat_activity WHERE backend_type = 'client backend'
                """, within: Self.statementLimit)
            guard let row = rows.first, row.count == 2, let room = row[0].flatMap({ Int($0) }) else { return }
            let alive = Set((row[1] ?? "").split(separator: ",").compactMap { Int32($0) })
            let wanted = max(0, room - free)
            for dead in fillers where !alive.contains(dead.pid) { await dead.close() }
            fillers.removeAll { !alive.contains($0.pid) }
            while fillers.count > wanted { await fillers.removeLast().close() }
            while fillers.count < wanted, !Task.isCancelled {
                do throws(StatementFailure) {
                    fillers.append(try await statements.openSession(as: role))
                } catch {
                    if error.sqlState == "53300" { break }  // the pool holds them still
                    throw error
                }
            }
            mostFillers = max(mostFillers, fillers.count)
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let server = stage.server else { return Landing(landed: false, evidence: ["reason": "no server"]) }
            var answer = ConnectAnswer.noAnswer
            var looks = 0
            // As long as the fault lasts: the pool may need a slot more only later.
            while !Task.isCancelled {
                answer = await server.tryConnect(within: .seconds(2))
                looks += 1
                if answer.sqlState == "53300" { break }
                try? await Task.sleep(for: .milliseconds(100))
            }
            var evidence: [JSONValue.Member] = [
                .init("fillers", JSONValue(mostFillers)), .init("connect", .string(answer.words)),
                .init("attempts", JSONValue(looks)),
            ]
            let hasLanded = answer.sqlState == "53300"
            if !hasLanded {
                evidence.append(.init("reason", "no connection of the pool's role was refused for want of a slot"))
            }
            return Landing(landed: hasLanded, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let statements = try stage.needed(stage.statements, .statements)
            filling?.cancel()
            await filling?.value
            filling = nil
            for session in fillers { await session.close() }
            fillers = []
            guard roleIsMade else { return ["nothing_to_undo": true] }
            let role = Self.role(statements)
            try await Retrying.undo {
                let rows = try await statements.run(
                    "SELECT count(*) FROM pg_stat_activity WHERE usename = '\(role)'", within: Self.statementLimit)
                guard rows.first?.first == "0" else { throw InjectionError("sessions of the role \(role) are left") }
                try await statements.run("DROP ROLE IF EXISTS \(role)", within: Self.statementLimit)
            }
            try await stage.needed(stage.server, .server).waitUntilServing(without: ["53300"], within: Self.goneLimit)
            roleIsMade = false
            return ["most_fillers": JSONValue(mostFillers), "looks_failed": JSONValue(failures)]
        }
    }
}
