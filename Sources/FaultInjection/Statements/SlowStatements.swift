package import RigModel
import Threading

/// Statements of the pool on the workload's tables take longer on the server, readers and writers alike: a lost index, a cold
/// cache, a noisy neighbour. Row policies that apply to the pool's role only ask a function, which sleeps, once for each
/// statement; nobody else's statements get slower.
///
/// Landed: statements of each kind, by sessions of the fault with the pool's role, took that much longer than before.
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

extension SlowStatements {
    /// How long statements took at the least, by kind; and why one could not be measured.
    struct Measured: Sendable {
        static let kinds = ["insert", "read", "update"]
        /// A measurement from before may be from a busier moment.
        private static let tolerance = 0.1

        var took: [String: Duration] = [:]
        var failure: StatementFailure?

        mutating func add(_ kind: String, _ result: Result<Duration, StatementFailure>) {
            switch result {
            case .success(let time): took[kind] = time
            case .failure(let error): failure = error
            }
        }

        /// Why these measurements do not show that every kind takes so much longer than before; `nil` when they do.
        func reasonAgainst(_ delay: Duration, before: Measured) -> String? {
            for kind in Self.kinds {
                guard let earlier = before.took[kind], let now = took[kind] else {
                    let why = (failure ?? before.failure).map { ": \($0)" } ?? ""
                    return "a statement (\(kind)) could not be measured\(why)"
                }
                let wanted = earlier + delay * (1 - Self.tolerance)
                guard now >= wanted else {
                    return "a statement (\(kind)) took \(now.words), and \(wanted.words) or more were expected"
                }
            }
            return nil
        }
    }
}

private actor SleepingPolicies: Injection {
    private typealias Measured = SlowStatements.Measured

    /// A table must be free for a moment, and its statements may be slow by then.
    private static let lockLimit = Duration.seconds(30)
    /// Each kind is measured so often: of a busy machine the quickest tells. One that is much slower than that needs one.
    private static let looks = 3
    private static let clearDelay = Duration.milliseconds(100)

    private let delay: Duration
    /// Of the pool's role, one for each kind of statement, so that none waits for another.
    private var sessions: [any FaultSession] = []
    private var before = Measured()
    private var isOn = false

    init(delay: Duration) { self.delay = delay }

    private static func function(_ statements: any StatementControl) -> String { "\(statements.prefix)_sleeps" }
    private static func policy(_ kind: String) -> String { "chaosrig_slow_\(kind)" }

    private static func tables(_ statements: any StatementControl) -> [String] {
        [statements.accountsTable, statements.appendsTable]
    }

    func inject(on stage: FaultStage) async throws {
        let statements = try stage.needed(stage.statements, .statements)
        for _ in Measured.kinds { sessions.append(try await statements.openSession(as: statements.poolRole)) }
        before = await measure(statements, times: Self.looks)
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

    private var measurements: Int { delay >= Self.clearDelay ? 1 : Self.looks }

    private static func text(_ kind: String, _ statements: any StatementControl) -> String {
        switch kind {
        case "insert": "INSERT INTO \(statements.appendsTable) (id) SELECT 0"
        // An account that nobody holds: waiting for a transfer is no slowness of the statement.
        case "update":
            """
            UPDATE \(statements.accountsTable) SET balance = balance WHERE id =
                (SELECT id FROM \(statements.accountsTable) LIMIT 1 FOR UPDATE SKIP LOCKED)
            """
        default: "SELECT balance FROM \(statements.accountsTable) WHERE id = 0"
        }
    }

    /// Statements of each kind, all kinds at the same time; nothing of them stays.
    private func measure(_ statements: any StatementControl, times: Int) async -> Measured {
        await withTaskGroup(of: (String, Result<Duration, StatementFailure>).self) { group in
            for (kind, session) in zip(Measured.kinds, sessions) {
                let text = Self.text(kind, statements)
                group.addTask { (kind, await Self.quickest(of: times, text, session)) }
            }
            var measured = Measured()
            for await (kind, result) in group { measured.add(kind, result) }
            return measured
        }
    }

    private static func quickest(
        of times: Int, _ text: String, _ session: any FaultSession
    ) async -> Result<Duration, StatementFailure> {
        do throws(StatementFailure) {
            var quickest = lockLimit
            for _ in 0..<times {
                try await session.run("BEGIN", within: lockLimit)
                let startedAt = MonotonicInstant.now
                try await session.run(text, within: lockLimit)
                quickest = min(quickest, startedAt.duration(to: .now))
                try await session.run("ROLLBACK", within: lockLimit)
            }
            return .success(quickest)
        } catch {
            return .failure(error)
        }
    }

    func prove(on stage: FaultStage) async -> Landing {
        guard delay > .zero else {
            return Landing(landed: false, evidence: ["reason": "a delay of 0 makes nothing slower"])
        }
        guard let statements = stage.statements, !sessions.isEmpty else {
            return Landing(landed: false, evidence: ["reason": "the fault has no session to measure with"])
        }
        let during = await measure(statements, times: measurements)
        var evidence: [JSONValue.Member] = []
        for kind in Measured.kinds {
            evidence.append(.init("\(kind)_before_ms", JSONValue(before.took[kind]?.milliseconds)))
            evidence.append(.init("\(kind)_ms", JSONValue(during.took[kind]?.milliseconds)))
        }
        let reason = during.reasonAgainst(delay, before: before)
        if let reason { evidence.append(.init("reason", .string(reason))) }
        return Landing(landed: reason == nil, evidence: .object(evidence))
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        let statements = try stage.needed(stage.statements, .statements)
        // They may be in the middle of a measurement, which would be in the way.
        for session in sessions { await session.close() }
        sessions = []
        guard isOn else { return ["nothing_to_undo": true] }
        try await Retrying.undo { try await undo(statements) }
        isOn = false
        return ["policies_left": 0]
    }

    private func undo(_ statements: any StatementControl) async throws {
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
        let left = try await statements.run(
            "SELECT polname FROM pg_policy WHERE polname LIKE '\(Self.policy("%"))'", within: Self.lockLimit)
        guard left.isEmpty else { throw InjectionError("row policies of the fault are still there: \(left)") }
    }
}
