import ConnectionPool
import DatabaseServers
import EventLoop
import Foundation
import PostgresDriver
import RigModel
import RigTestSupport
import SQLiteDriver
import Testing
import Threading
import Workloads

@testable import Orchestrator

/// Every kind of operation, through our pool, on a database; then what the final reads tell.
private func exercise<D: Driver>(_ driver: D, _ schema: WorkloadSchema, _ loop: EventLoop) async throws {
    let sink = RecordingSink(runtime: ManualRuntime())
    let database = WorkloadDatabase(
        admin: AdminSession(driver: driver), schema: schema, statementLimit: .seconds(600))
    try await database.prepare(sink)
    var configuration = PoolConfiguration(maxOpen: 4)
    configuration.acquireTimeout = .seconds(600)
    configuration.statementTimeout = .seconds(600)
    configuration.connectTimeout = .seconds(600)
    configuration.closeTimeout = .seconds(1)
    let pool = InstrumentedPool(
        pool: Pool(driver: driver, configuration: configuration, runtime: LoopRuntime(loop: loop), seed: 1),
        policy: RetryPolicy(), begin: schema.begin, seed: 1)

    var appended: [Int64] = []
    for sequence in 0..<30 {
        for operation in [AppendOperation(), ReadOperation(), TransferOperation()] as [any Workloads.Operation] {
            var context = OperationContext(
                id: OperationID(worker: 0, sequence: sequence), generator: SeededGenerator(seed: UInt64(sequence)),
                schema: schema)
            let planned = operation.plan(&context)
            let report = await pool.use(planned.request)
            #expect(report.outcome == .ok, "\(report.completion)")
            #expect(report.completion.attempt == 1)
            if operation is AppendOperation { appended.append(context.id.withAttempt(1).rawValue) }
            if operation is ReadOperation {
                #expect(planned.okValue?(report.results)["balance"]?.intValue != nil)
            }
        }
    }
    try await database.readFinalState(sink)
    let parts = sink.events.filter { $0.function == "final-appends" }
    let ids: [Int64] = parts.flatMap { part in (part.value["ids"]?.arrayValue ?? []).compactMap(\.intValue) }
    #expect(ids == appended)
    let opened = try #require(sink.events.first { $0.function == "accounts" })
    let balances = try #require(sink.events.first { $0.function == "final-balances" })
    #expect(balances.value["total"] == opened.value["total"])
    #expect(balances.value["accounts"] == opened.value["accounts"])

    // A leak keeps its connection, and names the line that borrowed it; closing cuts it.
    var context = OperationContext(
        id: OperationID(worker: 0, sequence: 99), generator: SeededGenerator(seed: 1), schema: schema)
    #expect(await pool.use(LeakOperation().plan(&context).request).outcome == .ok)
    let lease = try #require(pool.openLeases().arrayValue?.first)
    #expect(lease["site"]?.stringValue?.hasPrefix("Workloads/LeakOperation.swift:") == true)
    #expect(await pool.close() == 1)
    #expect(await database.dropTables().isEmpty)
    await database.admin.close()
}

@Test func everyOperationWorksOnPostgreSQL() async throws {
    let loop = try EventLoop(name: "test-workload")
    defer { loop.shutdown() }
    let driver = PostgresDriver(
        configuration: try PostgresConfiguration(url: try await TestPostgres.shared().url), loop: loop)
    try await exercise(
        driver, WorkloadSchema(dialect: .postgres, run: "test", statementTime: .milliseconds(1)), loop)
}

@Test func everyOperationWorksOnSQLite() async throws {
    let loop = try EventLoop(name: "test-workload")
    defer { loop.shutdown() }
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    try await exercise(
        SQLiteDriver(SQLiteConfiguration(path: folder.file("test.db"))),
        WorkloadSchema(dialect: .sqlite, run: "test", statementTime: .zero), loop)
}

@Test func adminSessionReplacesAConnectionThatWasKilled() async throws {
    let loop = try EventLoop(name: "test-admin")
    defer { loop.shutdown() }
    let driver = PostgresDriver(
        configuration: try PostgresConfiguration(url: try await TestPostgres.shared().url), loop: loop)
    let victim = AdminSession(driver: driver)
    let killer = AdminSession(driver: driver)
    let question = SQLStatement("SELECT pg_backend_pid()", role: .read)
    let first = try #require(try await victim.run(question, within: .seconds(600)).rows.first?.first)
    _ = try await killer.run(
        SQLStatement("SELECT pg_terminate_backend($1::int, 20000)", [first], role: .write), within: .seconds(600))
    let second = try await victim.run(question, within: .seconds(600)).rows.first?.first
    #expect(second != first)
    await victim.close()
    await killer.close()
}
