package import RigModel
import Threading

/// A session of somebody else locks rows of the accounts table in the opposite order to the pool's transfers, again and again,
/// so that they wait for each other in a ring. The server finds that out after its `deadlock_timeout`, and it is the pool's
/// session that it chooses: the fault's own looks much later.
///
/// Landed: the server wrote that a session of the pool was in a deadlock (40P01).
package struct Deadlock: Fault {
    package static let shape = Shape(
        name: "deadlock", summary: "transfers of the pool end in deadlocks with another session (40P01)",
        parameters: [
            Parameter(
                "timeout", .duration, default: .duration(.milliseconds(200)),
                summary: "the server's deadlock_timeout meanwhile: after so long it looks for a deadlock")
        ], isLasting: true)

    private let timeout: Duration

    package init(_ parameters: Parameters) { timeout = parameters.duration("timeout") ?? .milliseconds(200) }

    package var needs: Set<StagePart> { [.settings, .statements] }
    package var claims: Set<Claim> { [.setting(DeadlockRing.settingName)] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "found after \(timeout.words)" }
    package func makeInjection(seed: UInt64) -> any Injection { DeadlockRing(timeout: timeout) }
}

private actor DeadlockRing: Injection {
    static let settingName = "deadlock_timeout"
    private static let statementLimit = Duration.seconds(5)
    /// So long a round waits for a transfer that runs into it, and at most so long for its second lock.
    private static let bite = Duration.seconds(2)

    private let timeout: Duration
    private let proof = ServerLogProof { $0.severity == "ERROR" && $0.text == "deadlock detected" }
    private let setting = TemporarySetting(settingName)
    private var countBefore: Int?
    private let work = SessionWork()
    private var rounds = 0
    private var failure: String?

    init(timeout: Duration) { self.timeout = timeout }

    func inject(on stage: FaultStage) async throws {
        let statements = try stage.needed(stage.statements, .statements)
        await proof.begin(on: stage)
        countBefore = await Self.count(statements)
        try await setting.change(to: "\(max(1, Int(timeout.milliseconds.rounded())))ms", on: stage)
        // The second lock is given up soon after the server must have found the ring.
        let patience = min(timeout * 2 + .milliseconds(100), Self.bite)
        try await work.begin(
            try await statements.openSession(as: nil),
            settings: [("deadlock_timeout", "1h"), ("lock_timeout", "\(Int(patience.milliseconds))ms")]
        ) { await self.rounds($0, statements) }
    }

    private func rounds(_ session: any FaultSession, _ statements: any StatementControl) async {
        while !Task.isCancelled {
            do throws(StatementFailure) {
                try await round(session, statements)
            } catch {
                note(error)
                _ = try? await session.run("ROLLBACK", within: Self.statementLimit)
            }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Transfers lock the lower id first: this takes the upper ones, lets transfers run into them, and wants the lower ones.
    private func round(_ session: any FaultSession, _ statements: any StatementControl) async throws(StatementFailure) {
        let table = statements.accountsTable
        let border = "(SELECT max(id) * 3 / 4 FROM \(table))"
        rounds += 1
        try await session.run("BEGIN", within: Self.statementLimit)
        try await session.run(
            "SELECT id FROM \(table) WHERE id >= \(border) ORDER BY id FOR UPDATE", within: Self.statementLimit)
        let giveUpAt = MonotonicInstant.now.advanced(by: Self.bite)
        while try await LockWaiters.count(of: session.pid, by: statements) == 0 {
            guard MonotonicInstant.now < giveUpAt, !Task.isCancelled else { break }
            try? await Task.sleep(for: .milliseconds(5))
        }
        try await session.run(
            "SELECT id FROM \(table) WHERE id < \(border) ORDER BY id FOR UPDATE", within: Self.statementLimit)
        try await session.run("ROLLBACK", within: Self.statementLimit)
    }

    private func note(_ error: StatementFailure) {
        // Its second lock took too long: this round was none.
        if error.sqlState != "55P03", !Task.isCancelled { failure = error.description }
    }

    private static func count(_ statements: any StatementControl) async -> Int? {
        let rows = try? await statements.run(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()", within: statementLimit)
        return rows?.first?.first.flatMap { $0 }.flatMap { Int($0) }
    }

    func prove(on stage: FaultStage) async -> Landing {
        let hits = await proof.waitForHits(on: stage)
        guard let first = hits.first else {
            let why = failure.map { "; the fault's session failed: \($0)" } ?? ""
            return Landing(
                landed: false,
                evidence: [
                    "rounds": JSONValue(rounds),
                    "reason": .string("the server found no deadlock of a session of the pool\(why)"),
                ])
        }
        return Landing(
            landed: true,
            evidence: [
                "rounds": JSONValue(rounds), "says_the_server": .string(first.words), "pid": JSONValue(first.pid),
            ]
        )
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        let statements = try stage.needed(stage.statements, .statements)
        try await work.end(by: statements)
        let hits = await proof.hits(on: stage).count
        try await setting.restore(on: stage)
        var facts: [JSONValue.Member] = [.init("rounds", JSONValue(rounds)), .init("pool_victims", JSONValue(hits))]
        // A session tells its deadlocks to the statistics when it is idle: this may still be less than the victims.
        if let countBefore, let now = await Self.count(statements) {
            facts.append(.init("counted_by_the_server", JSONValue(now - countBefore)))
        }
        return .object(facts)
    }
}
