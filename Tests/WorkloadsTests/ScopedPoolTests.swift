import ConnectionPool
import EventLoop
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import Workloads

/// What a use of somebody else's pool comes to, seen from outside.
@Suite(.timeLimit(.minutes(15)))
struct ScopedPoolTests {
    struct Row: CustomTestStringConvertible {
        let testDescription: String
        var isTransaction = false
        var script = ScriptedPool.Script()
        let outcome: Outcome
        var phase: OperationPhase?
        /// What reached the connection.
        let statements: [String]
    }

    static let lost = ScriptedError(failureClass: "unknown", sqlState: nil)
    static let refused = ScriptedError(failureClass: "sql", sqlState: "23505")
    static let rows = [
        Row(testDescription: "a success", outcome: .ok, statements: ["W"]),
        Row(
            testDescription: "a refused statement has not happened", script: .init(fails: ["W": refused]),
            outcome: .fail, phase: .query, statements: ["W"]),
        Row(
            testDescription: "a lost statement may have happened", script: .init(fails: ["W": lost]), outcome: .info,
            phase: .query, statements: ["W"]),
        Row(
            testDescription: "without a connection nothing has happened", script: .init(acquire: lost),
            outcome: .fail, phase: .acquire, statements: []),
        Row(
            testDescription: "what fails when it is given back was done", script: .init(release: lost), outcome: .ok,
            statements: ["W"]),
        Row(
            testDescription: "a pool that does not run the work has not done it", script: .init(skips: true),
            outcome: .fail, phase: .acquire, statements: []),
        Row(
            testDescription: "a transaction commits", isTransaction: true, outcome: .ok,
            statements: ["BEGIN", "W", "COMMIT"]),
        Row(
            testDescription: "a transaction that is lost before COMMIT has not happened, and is rolled back",
            isTransaction: true, script: .init(fails: ["W": lost]), outcome: .fail, phase: .query,
            statements: ["BEGIN", "W", "ROLLBACK"]),
        Row(
            testDescription: "a lost COMMIT is unknown", isTransaction: true, script: .init(fails: ["COMMIT": lost]),
            outcome: .info, phase: .commit, statements: ["BEGIN", "W", "COMMIT"]),
        Row(
            testDescription: "a refused COMMIT has not happened", isTransaction: true,
            script: .init(fails: ["COMMIT": ScriptedError(failureClass: "sql", sqlState: "40001")]), outcome: .fail,
            phase: .commit, statements: ["BEGIN", "W", "COMMIT"]),
    ]

    @Test("One use", arguments: rows)
    func outcome(_ row: Row) async throws {
        let fixture = try Fixture(row.script)
        let report = await fixture.pool.use(
            UseRequest(isTransaction: row.isTransaction, site: .here()) { _ in [SQLStatement("W", role: .write)] })
        #expect(report.outcome == row.outcome)
        #expect(report.completion.error?.phase == row.phase)
        #expect(fixture.scripted.statements.value == row.statements)
        #expect(fixture.pool.openLeases() == .array([]))
    }

    @Test func aPoolThatKnowsNoServerProcessIsAskedForIt() async throws {
        let fixture = try Fixture(ScriptedPool.Script(tellsPID: false))
        let report = await fixture.pool.use(
            UseRequest(site: .here()) { _ in [SQLStatement("W", role: .write)] })
        #expect(report.completion.backendPID == 41)
        #expect(fixture.scripted.statements.value == ["SELECT pg_backend_pid()", "W"])
    }

    @Test func aLeakIsALeaseThatIsOutUntilThePoolIsClosed() async throws {
        let fixture = try Fixture(ScriptedPool.Script())
        let report = await fixture.pool.use(UseRequest(leaks: true, site: .here()) { _ in [] })
        #expect(report.outcome == .ok)
        let lease = try #require(fixture.pool.openLeases().arrayValue?.first)
        #expect(lease["pid"] == 41 && lease["site"]?.stringValue?.contains("ScopedPoolTests.swift:") == true)
        #expect(await fixture.pool.close() == 1)
        try await fixture.scripted.lent.wait { $0 == 0 }
    }

    @Test func allConnectionsAreHeldAtTheSameTimeAndGivenBack() async throws {
        let fixture = try Fixture(ScriptedPool.Script())
        let answer = try #require(await fixture.pool.takeAll(5))
        #expect(answer.got == 5)
        #expect(fixture.scripted.lent.value == 0)
        #expect(fixture.scripted.mostLent.value == 5)
    }

    @Test func aPoolThatNeverAnswersIsNotWaitedForLongerThanItsLimit() async throws {
        let fixture = try Fixture(ScriptedPool.Script(hangs: true), acquireTimeout: .milliseconds(10))
        let answer = try #require(await fixture.pool.takeAll(3))
        #expect(answer.got == 0)
        fixture.scripted.end.open()
    }

    @Test func aCancelledTransactionIsRolledBackAllTheSame() async throws {
        let fixture = try Fixture(ScriptedPool.Script(waitsForCancel: "W"))
        let use = Task {
            await fixture.pool.use(
                UseRequest(isTransaction: true, site: .here()) { _ in [SQLStatement("W", role: .write)] })
        }
        try await fixture.scripted.statements.wait { $0.contains("W") }
        use.cancel()
        let report = await use.value
        #expect(report.outcome == .fail)
        #expect(fixture.scripted.statements.value == ["BEGIN", "W", "ROLLBACK"])
    }

    private final class Fixture {
        let scripted: ScriptedPool
        let pool: ScopedPoolUnderTest
        private let loop: EventLoop

        init(_ script: ScriptedPool.Script, acquireTimeout: Duration = .seconds(60)) throws {
            loop = try EventLoop(name: "scoped")
            scripted = ScriptedPool(script)
            pool = ScopedPoolUnderTest(
                scripted,
                ScopedPoolUnderTest.Options(
                    policy: RetryPolicy(mode: .none), acquireTimeout: acquireTimeout, closeTimeout: .seconds(60),
                    begin: SQLStatement("BEGIN", role: .begin), seed: 1),
                runtime: LoopRuntime(loop: loop), sink: RecordingSink(runtime: ManualRuntime()))
        }

        deinit { loop.shutdown() }
    }
}

struct ScriptedError: Error {
    let failureClass: String
    let sqlState: String?
}

/// A pool that does what the test says.
final class ScriptedPool: ScopedPool {
    struct Script: Sendable {
        var fails: [String: ScriptedError] = [:]
        var acquire: ScriptedError?
        var release: ScriptedError?
        var skips = false
        var hangs = false
        var tellsPID = true
        /// This statement ends when its task is cancelled.
        var waitsForCancel: String?
    }

    let script: Script
    let statements = Watched<[String]>([])
    let lent = Watched(0)
    let mostLent = Watched(0)
    let end = OneTimeGate()

    init(_ script: Script) { self.script = script }

    func withConnection(_ work: @escaping @Sendable (any ScopedConnection) async throws -> Void) async throws {
        if script.hangs { await end.pass() }
        if let error = script.acquire { throw error }
        if script.skips { return }
        let now = lent.change { lent in
            lent += 1
            return lent
        }
        mostLent.change { $0 = max($0, now) }
        defer { lent.change { $0 -= 1 } }
        try await work(Connection(pool: self))
        if let error = script.release { throw error }
    }

    func close() async {}
    var gauges: PoolGauges? { nil }

    func failure(of error: any Error) -> ScopedFailure {
        let known = error as? ScriptedError
        return ScopedFailure(
            failureClass: known?.failureClass ?? (error is CancellationError ? "cancelled" : "unknown"),
            sqlState: known?.sqlState, message: "\(error)")
    }

    private struct Connection: ScopedConnection {
        let pool: ScriptedPool
        var backendPID: Int? { pool.script.tellsPID ? 41 : nil }

        func execute(_ statement: SQLStatement) async throws -> SQLResult {
            try Task.checkCancellation()
            pool.statements.change { $0.append(statement.text) }
            if pool.script.waitsForCancel == statement.text { try await pool.statements.wait { _ in false } }
            if let error = pool.script.fails[statement.text] { throw error }
            return SQLResult(rows: [[.int(41)]])
        }
    }
}
