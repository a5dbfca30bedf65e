import ConnectionPool
import EventLoop
import FaultInjection
import Glibc
import HostSystem
import PostgresDriver
import Probes
import RigModel
import RigTestSupport
import Testing
import Threading
import Workloads

@testable import Orchestrator

private func append(_ text: String, to path: String) throws {
    let before = SmallFile.bytes(path) ?? []
    try SmallFile.write(before + Array(text.utf8), to: path)
}

/// What faults are given of a run's servers and its workload.
@Suite struct FaultControlTests {
    @Test func logIsReadOfBothServersFromWhereItEndedInWholeLines() async throws {
        let folder = try TemporaryFolder()
        let paths = [folder.file("server.log"), folder.file("standby.log")]
        try append("old\n", to: paths[0])
        let log = ServerLogFile(paths: paths, application: "chaosrig/test")
        let position = await log.position()
        #expect(await log.lines(since: position).lines == [])
        try append("one\nha", to: paths[0])
        try append("two\n", to: paths[1])
        let (lines, end) = await log.lines(since: position)
        #expect(lines == ["one", "two"])
        try append("lf\n", to: paths[0])
        #expect(await log.lines(since: end).lines == ["half"])
    }

    @Test func attemptsThatEndedWithACodeAreCounted() {
        let sink = RecordingSink(runtime: ManualRuntime())
        let counter = WorkloadErrorCounter(sink)
        func failure(_ code: String?) -> FailureDescription {
            FailureDescription(phase: .query, failureClass: "server-error", code: code, message: "")
        }
        let attempts = ["57014", "40001", nil, "57014"].enumerated().map { number, code in
            Attempt(number: number + 1, outcome: .fail, error: failure(code))
        }
        _ = counter.record(.ok, .worker(1), "append", .null, Completion(attempt: 5, attempts: attempts))
        _ = counter.record(.ok, .worker(1), "append", .null, Completion())
        counter.record(.info, .nemesis, "inject")
        #expect(counter.errors("57014") == 2)
        #expect(counter.errors("40001") == 1)
        #expect(counter.errors("53300") == 0)
        #expect(sink.events.count == 3)
    }

    @Test func sessionThatWasGoneBeforeWasNotEnded() async throws {
        try await withDriver(application: "control-end") { driver, loop in
            let victim = try await driver.connect(deadline: MonotonicInstant.now.advanced(by: .seconds(600)))
            let probe = ServerSessionProbe(applicationName: "control-end")
            let url = try await TestPostgres.shared().url
            let admin = AdminSession(
                driver: PostgresDriver(configuration: try PostgresConfiguration(url: url), loop: loop))
            let control = PostgresSessionControl(admin: admin, probe: probe, runtime: LoopRuntime(loop: loop))
            let alive = try await control.sessions()
            #expect(alive.map { Int($0.pid) } == [victim.backendPID])
            // The pool had closed this one between the look and the signal.
            let gone = ServerSession(pid: 1, startedAt: "1999-01-01 00:00:00+00", state: "idle", ageSeconds: 1)
            #expect(try await control.terminate(alive + [gone]) == alive)
            #expect(try await control.terminate([gone]).isEmpty)
            await victim.close(deadline: MonotonicInstant.now.advanced(by: .seconds(600)))
            await admin.close()
        }
    }

    @Test func sessionsThatAFaultHasClosedAreForgotten() async throws {
        try await withDriver(application: "control-forget") { driver, loop in
            let url = try await TestPostgres.shared().url
            let statements = PostgresStatementControl(
                admin: AdminSession(driver: driver), url: url, route: nil, poolRole: "chaosrig", runID: "test",
                schema: WorkloadSchema(dialect: .postgres, run: "test", statementTime: .zero), ownOptions: nil,
                makeDriver: { PostgresDriver(configuration: $0, loop: loop) })
            weak var first: PostgresFaultSession?
            do {
                let session = try await statements.openSession(as: nil)
                first = session as? PostgresFaultSession
                #expect(first != nil)
                await session.close()
            }
            let second = try await statements.openSession(as: nil)
            #expect(first == nil)
            await statements.close()
            await #expect(throws: StatementFailure.self) { try await second.run("SELECT 1", within: .seconds(600)) }
        }
    }

    private func withDriver(
        application: String, _ body: (PostgresDriver, EventLoop) async throws -> Void
    ) async throws {
        let loop = try EventLoop(name: "test-control")
        defer { loop.shutdown() }
        var configuration = try PostgresConfiguration(url: try await TestPostgres.shared().url)
        configuration.applicationName = application
        try await body(PostgresDriver(configuration: configuration, loop: loop), loop)
    }
}
