package import RigModel
import Threading

/// A migration adds a column to one of the workload's tables: statements that were prepared with `SELECT *` before fail once
/// with "cached plan must not change result type" (0A000), and again when the column goes. It takes a workload that has such
/// statements (read-row).
///
/// Landed: the server wrote so about a session of the pool.
package struct CachedPlan: Fault {
    package static let shape = Shape(
        name: "cached-plan", summary: "a migration invalidates prepared statements of the pool (0A000)",
        parameters: [
            Parameter("alter", .choice(["add-column"]), default: .choice("add-column"), summary: "what it does"),
            Parameter(
                "table", .choice(["accounts", "appends"]), default: .choice("accounts"), summary: "to which table"),
        ], isLasting: true)

    private let onAppends: Bool

    package init(_ parameters: Parameters) { onAppends = parameters.choice("table") == "appends" }

    // The proof is in the log of a server of the run's own.
    package var needs: Set<StagePart> { [.statements, .settings] }
    package var claims: Set<Claim> { [.tableColumns] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "a column more for \(onAppends ? "appends" : "accounts")" }
    package func makeInjection(seed: UInt64) -> any Injection { AddedColumn(onAppends: onAppends) }
}

private actor AddedColumn: Injection {
    /// The table must be free for a moment.
    private static let lockLimit = Duration.seconds(10)
    private static let column = "chaosrig_added"

    private let onAppends: Bool
    private let proof = ServerLogProof { $0.text == "cached plan must not change result type" }
    private var isAdded = false

    init(onAppends: Bool) { self.onAppends = onAppends }

    private func table(_ statements: any StatementControl) -> String {
        onAppends ? statements.appendsTable : statements.accountsTable
    }

    func inject(on stage: FaultStage) async throws {
        let statements = try stage.needed(stage.statements, .statements)
        await proof.begin(on: stage)
        isAdded = true
        try await statements.run(
            "ALTER TABLE \(table(statements)) ADD COLUMN \(Self.column) text", within: Self.lockLimit)
    }

    func prove(on stage: FaultStage) async -> Landing {
        guard let first = await proof.waitForHits(on: stage).first else {
            return Landing(
                landed: false, evidence: ["reason": "no prepared statement of the pool met a table with other columns"])
        }
        return Landing(
            landed: true, evidence: ["says_the_server": .string(first.words), "pid": JSONValue(first.pid)])
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        let statements = try stage.needed(stage.statements, .statements)
        if isAdded {
            try await Retrying.undo { try await dropColumn(of: table(statements), statements) }
            isAdded = false
        }
        return ["invalidated_statements": JSONValue(await proof.hits(on: stage).count)]
    }

    private func dropColumn(of table: String, _ statements: any StatementControl) async throws {
        try await statements.run(
            "ALTER TABLE \(table) DROP COLUMN IF EXISTS \(Self.column)", within: Self.lockLimit)
        let left = try await statements.run(
            "SELECT 1 FROM pg_attribute WHERE attrelid = '\(table)'::regclass AND attname = '\(Self.column)'",
            within: Self.lockLimit)
        guard left.isEmpty else { throw InjectionError("the column \(Self.column) of \(table) is still there") }
    }
}
