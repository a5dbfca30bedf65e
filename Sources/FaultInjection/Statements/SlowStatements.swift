package import RigModel
import Threading

/// Statements of the pool on the workload's tables take longer on the server, readers and writers alike: a lost index, a cold
/// cache, a noisy neighbour. Row policies that apply to the pool's role only ask a function, which sleeps, once for each
/// statement; nobody else's statements get slower.
///
/// Landed: a statement of the same kind, by a session of the fault with the pool's role, took that long.
package struct SlowStatements: Fault {
    package static let shape = Shape(
        name: "slow-statements", summary: "statements of the pool take longer on the server, reads and writes",
        parameters: [
            Parameter("delay", .duration, default: .duration(.seconds(1)), summary: "how much longer each one takes")
        ], isLasting: true)

    private let delay: Duration

    package init(_ parameters: Parameters) { delay = parameters.duration("delay") ?? .seconds(1) }

    package var needs: Set<StagePart> { [.statements, .settings] }
    package var claims: Set<Claim> { [.rowPolicies] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "\(delay.words) more for each" }
    package func makeInjection(seed: UInt64) -> any Injection { SleepingPolicies(delay: delay) }
}

private actor SleepingPolicies: Injection {
    /// A table must be free for a moment, and its statements may be slow by then.
    private static let lockLimit = Duration.seconds(30)

    private let delay: Duration
    private var session: (any FaultSession)?
    private var before: [String: Duration] = [:]
    private var isOn = false
    private var isHealed = false

    init(delay: Duration) { self.delay = delay }

    private static func function(_ statements: any StatementControl) -> String { "\(statements.prefix)_sleeps" }
    private static func policy(_ kind: String) -> String { "chaosrig_slow_\(kind)" }

    private static func tables(_ statements: any StatementControl) -> [String] {
        [statements.accountsTable, statements.appendsTable]
    }

    func inject(on stage: FaultStage) async throws {
        let statements = try stage.needed(stage.statements, .statements)
        let session = try await statements.openSession(as: statements.poolRole)
        self.session = session
        before = try await measure(session, statements)
        // Nothing would be slower; prove says so.
        guard delay > .zero else { return }
        isOn = true
        let function = Self.function(statements)
        try await statements.run(
            """
            CREATE FUNCTION \(function)() RETURNS boolean LANGUAGE plpgsql VOLATILE AS
            $$ BEGIN
                IF current_setting('chaosrig.slept', true) IS DISTINCT FROM statement_timestamp()::text THEN
                    PERFORM set_config('chaosrig.slept', statement_timestamp()::text, false), pg_sleep(\(delay.seconds));
                END IF;
                RETURN true;
            END $$
            """, within: Self.lockLimit)
        for table in Self.tables(statements) {
            // Asked in a subquery that depends on no row, it is called for the statement and not for each row. An UPDATE asks
            // the policy for SELECT too, about the old rows and about the new ones: the function sleeps only once.
            for (kind, rule) in [
                ("select", "FOR SELECT TO \(statements.poolRole) USING ((SELECT \(function)()))"),
                ("insert", "FOR INSERT TO \(statements.poolRole) WITH CHECK ((SELECT \(function)()))"),
                ("update", "FOR UPDATE TO \(statements.poolRole) USING (true) WITH CHECK (true)"),
            ] {
                try await statements.run(
                    "CREATE POLICY \(Self.policy(kind)) ON \(table) \(rule)", within: Self.lockLimit)
            }
            try await statements.run("ALTER TABLE \(table) ENABLE ROW LEVEL SECURITY", within: Self.lockLimit)
        }
    }

    /// How long a reader, a writer and an insert take; nothing of it stays.
    private func measure(
        _ session: any FaultSession, _ statements: any StatementControl
    ) async throws(StatementFailure) -> [String: Duration] {
        var took: [String: Duration] = [:]
        for (kind, text) in [
            ("read", "SELECT balance FROM \(statements.accountsTable) WHERE id = 0"),
            ("update", "UPDATE \(statements.accountsTable) SET balance = balance WHERE id = 0"),
            ("insert", "INSERT INTO \(statements.appendsTable) (id) SELECT 0"),
        ] {
            try await session.run("BEGIN", within: Self.lockLimit)
            let startedAt = MonotonicInstant.now
            try await session.run(text, within: Self.lockLimit)
            took[kind] = startedAt.duration(to: .now)
            try await session.run("ROLLBACK", within: Self.lockLimit)
        }
        return took
    }

    func prove(on stage: FaultStage) async -> Landing {
        guard delay > .zero else {
            return Landing(landed: false, evidence: ["reason": "a delay of 0 makes nothing slower"])
        }
        guard let session, let statements = stage.statements else {
            return Landing(landed: false, evidence: ["reason": "the fault has no session"])
        }
        do throws(StatementFailure) {
            let during = try await measure(session, statements)
            let isSlow = during.allSatisfy { $0.value >= delay }
            var evidence = during.sorted { $0.key < $1.key }.flatMap { kind, took in
                [
                    JSONValue.Member("\(kind)_before_ms", JSONValue(before[kind]?.milliseconds)),
                    .init("\(kind)_ms", .double(took.milliseconds)),
                ]
            }
            if !isSlow { evidence.append(.init("reason", "not every kind of statement took so long")) }
            return Landing(landed: isSlow, evidence: .object(evidence))
        } catch {
            return Landing(landed: false, evidence: ["reason": .string("the statement to measure failed: \(error)")])
        }
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        guard !isHealed else { return ["healed_before": true] }
        let statements = try stage.needed(stage.statements, .statements)
        // It may be waiting in a measurement, which would be in the way.
        await session?.close()
        session = nil
        if isOn {
            // Without the function's sleep everybody soon lets go of the tables.
            try await statements.run(
                """
                CREATE OR REPLACE FUNCTION \(Self.function(statements))() RETURNS boolean LANGUAGE sql AS 'SELECT true'
                """, within: Self.lockLimit)
            for table in Self.tables(statements) {
                try await statements.run("ALTER TABLE \(table) DISABLE ROW LEVEL SECURITY", within: Self.lockLimit)
                for kind in ["select", "insert", "update"] {
                    try await statements.run(
                        "DROP POLICY IF EXISTS \(Self.policy(kind)) ON \(table)", within: Self.lockLimit)
                }
            }
            try await statements.run(
                "DROP FUNCTION IF EXISTS \(Self.function(statements))()", within: Self.lockLimit)
        }
        let after = try await statements.openSession(as: statements.poolRole)
        let took = try await measure(after, statements)
        await after.close()
        let slowest = took.values.max() ?? .zero
        isHealed = true
        return ["slowest_now_ms": .double(slowest.milliseconds)]
    }
}
