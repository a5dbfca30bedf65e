import ConnectionPool
import FaultInjection
import PostgresDriver
import RigModel
import Threading

/// The settings of the private server, changed as an operator would: ALTER SYSTEM and a reload.
struct PostgresSettingsControl: SettingsControl {
    private static let statementLimit = Duration.seconds(5)
    private static let reloadLimit = Duration.seconds(5)

    /// Each look opens a session of its own: one that exists may see a reload later than a new one.
    let statements: PostgresStatementControl
    let runtime: LoopRuntime

    func value(of setting: String) async throws -> String {
        try await Self.ask("SHOW \(setting)", try await statements.openPlainSession())
    }

    /// One value, from a session that is closed then.
    private static func ask(_ question: String, _ session: any FaultSession) async throws -> String {
        let rows: [[String?]]
        do {
            rows = try await session.run(question, within: statementLimit)
        } catch {
            await session.close()
            throw error
        }
        await session.close()
        guard let value = rows.first?.first ?? nil else {
            throw RunError.internalFailure("the server has no answer to \(question)")
        }
        return value
    }

    func set(_ settings: [(name: String, value: String?)]) async throws {
        // One statement each: several in one text are one transaction, in which ALTER SYSTEM is refused.
        for (name, value) in settings {
            try await statements.run(
                value.map { "ALTER SYSTEM SET \(name) = '\($0.replacing("'", with: "''"))'" }
                    ?? "ALTER SYSTEM RESET \(name)", within: Self.statementLimit)
        }
        let before = try await loadTime()
        try await statements.run("SELECT pg_reload_conf()", within: Self.statementLimit)
        let giveUpAt = runtime.now.advanced(by: Self.reloadLimit)
        while try await loadTime() == before {
            guard runtime.now < giveUpAt else {
                throw RunError.internalFailure("the server did not reload its settings within \(Self.reloadLimit)")
            }
            try await runtime.sleep(until: runtime.now.advanced(by: .milliseconds(10)))
        }
    }

    /// When the postmaster read its files, as a session sees it that begins now.
    private func loadTime() async throws -> String {
        try await Self.ask("SELECT pg_conf_load_time()::text", try await statements.openSession(as: nil))
    }
}
