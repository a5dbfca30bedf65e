package import RigModel
import Threading

/// Transactions of the pool fail with 40001: by real conflicts, since the server's default isolation becomes SERIALIZABLE and
/// another session changes the same rows; or as answered by the relay, also at COMMIT.
///
/// Landed: the server wrote so about a session of the pool, or the relay has answered so.
package struct SerializationFailure: Fault {
    package static let shape = Shape(
        name: "serialization-failure", summary: "transactions of the pool fail with serialization failures (40001)",
        parameters: [
            Parameter(
                "via", .choice(["conflict", "relay"]), default: .choice("conflict"),
                summary: "conflict (SERIALIZABLE by default, and a session that changes the accounts), or relay"),
            Parameter(
                "at", .choice(["COMMIT", "statement"]), default: .choice("COMMIT"),
                summary: "relay only: which message is answered so"),
            Parameter(
                "share", .share, default: .share(0.2), summary: "relay only: of these messages, drawn from the seed"),
        ], isLasting: true)

    private let isReal: Bool
    private let atCommit: Bool
    private let share: Double

    package init(_ parameters: Parameters) {
        isReal = parameters.choice("via") != "relay"
        atCommit = parameters.choice("at") != "statement"
        share = parameters.share("share") ?? 0.2
    }

    package var needs: Set<StagePart> { isReal ? [.settings, .statements] : [.link] }
    package var claims: Set<Claim> { isReal ? [.setting(SerializationConflicts.settingName)] : [] }
    package var ownDuration: Duration? { nil }

    package var detail: String {
        isReal
            ? "by real conflicts"
            : "\(Int((share * 100).rounded())) % of the \(atCommit ? "commits" : "statements"), by the relay"
    }

    package func disturbances(seed: UInt64) -> [Disturbance] {
        guard !isReal else { return [] }
        let pattern = atCommit ? "^ *(commit|end)" : "^ *(insert|update|delete|select) "
        // A statement without parameters may come as either.
        return ["Query", "Execute"].map { message in
            .cut("before \(message) statement='\(pattern)' share=\(share) seed=\(seed >> 1) do error 40001")
        }
    }

    package func makeInjection(seed: UInt64) -> any Injection {
        isReal
            ? SerializationConflicts(generator: SeededGenerator(seed: seed, stream: "serialization"))
            : RelayInjection(disturbances(seed: seed), provenBy: .cutPointHit)
    }
}

private actor SerializationConflicts: Injection {
    static let settingName = "default_transaction_isolation"
    private static let statementLimit = Duration.seconds(5)

    private var generator: SeededGenerator
    private let proof = ServerLogProof { $0.severity == "ERROR" && $0.text.hasPrefix("could not serialize access") }
    private let setting = TemporarySetting(settingName)
    private let work = SessionWork()
    private var changes = 0

    init(generator: SeededGenerator) { self.generator = generator }

    func inject(on stage: FaultStage) async throws {
        let statements = try stage.needed(stage.statements, .statements)
        await proof.begin(on: stage)
        try await setting.change(to: "serializable", on: stage)
        let table = statements.accountsTable
        try await work.begin(try await statements.openSession(as: nil)) { await self.compete($0, table) }
    }

    private func compete(_ session: any FaultSession, _ table: String) async {
        while !Task.isCancelled {
            do throws(StatementFailure) {
                try await change(session, table)
            } catch {
                // It may be the one that loses, or wait for others too long.
                _ = try? await session.run("ROLLBACK", within: Self.statementLimit)
            }
            try? await Task.sleep(for: .milliseconds(40))
        }
    }

    /// Another application's transaction: reads all accounts and touches some, without a change of any balance.
    private func change(_ session: any FaultSession, _ table: String) async throws(StatementFailure) {
        let part = Int.random(in: 0..<4, using: &generator)
        try await session.run("BEGIN ISOLATION LEVEL SERIALIZABLE", within: Self.statementLimit)
        try await session.run("SELECT sum(balance) FROM \(table)", within: Self.statementLimit)
        try await session.run(
            "UPDATE \(table) SET balance = balance WHERE id % 4 = \(part)", within: Self.statementLimit)
        try? await Task.sleep(for: .milliseconds(10))
        try await session.run("COMMIT", within: Self.statementLimit)
        changes += 1
    }

    func prove(on stage: FaultStage) async -> Landing {
        guard let first = await proof.waitForHits(on: stage).first else {
            return Landing(
                landed: false,
                evidence: [
                    "competing_transactions": JSONValue(changes),
                    "reason": "the server refused no transaction of the pool as not serializable",
                ])
        }
        return Landing(
            landed: true,
            evidence: [
                "competing_transactions": JSONValue(changes), "says_the_server": .string(first.words),
                "pid": JSONValue(first.pid),
            ])
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        let statements = try stage.needed(stage.statements, .statements)
        try await work.end(by: statements)
        let hits = await proof.hits(on: stage).count
        try await setting.restore(on: stage)
        return ["competing_transactions": JSONValue(changes), "pool_failures": JSONValue(hits)]
    }
}
