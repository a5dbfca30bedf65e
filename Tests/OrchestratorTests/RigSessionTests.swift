import ConnectionPool
import DatabaseServers
import EventLoop
import FaultInjection
import PostgresDriver
import RigTestSupport
import Testing
import Workloads

@testable import Orchestrator

/// The rig's own sessions on a real server, as faults use them.
@Suite struct RigSessionTests {
    /// - Parameter server: of this test only, for it changes settings.
    private func statements(_ url: String, options: String? = nil, loop: EventLoop) throws -> PostgresStatementControl {
        let makeDriver: @Sendable (PostgresConfiguration) -> PostgresDriver = {
            PostgresDriver(configuration: $0, loop: loop)
        }
        var rig = try PostgresConfiguration(url: url)
        rig.extraOptions = options
        return PostgresStatementControl(
            admin: AdminSession(driver: makeDriver(rig)), url: url, route: nil, poolRole: "pool", runID: "t1",
            schema: WorkloadSchema(dialect: .postgres, run: "t1", statementTime: .zero), ownOptions: options,
            makeDriver: makeDriver)
    }

    @Test("Read-only and isolation of the server hold for others, and not for the rig")
    func defaultsOfTheServerAreNotTheRigs() async throws {
        let loop = try EventLoop(name: "test-rig")
        defer { loop.shutdown() }
        try await TestPostgres.withPrivateServer { server in
            let control = try statements(
                server.url, options: ServerLimits.none(major: server.serverVersionMajor), loop: loop)
            let settings = PostgresSettingsControl(statements: control, runtime: LoopRuntime(loop: loop))
            try await settings.set([
                ("default_transaction_read_only", "on"), ("default_transaction_isolation", "serializable"),
            ])
            #expect(try await settings.value(of: "default_transaction_read_only") == "on")
            let rig = try await control.openSession(as: nil)
            #expect(
                try await rig.run("SHOW default_transaction_isolation", within: .seconds(60)) == [["read committed"]])
            try await rig.run("CREATE TABLE t (id int)", within: .seconds(60))
            let plain = try await control.openPlainSession()
            await #expect { try await plain.run("DROP TABLE t", within: .seconds(60)) } throws: {
                ($0 as? StatementFailure)?.sqlState == "25006"
            }
            await control.close()
        }
    }

    @Test("A setting that cannot be read says why")
    func unreadableSettingSaysWhy() async throws {
        let loop = try EventLoop(name: "test-rig")
        defer { loop.shutdown() }
        let server = try await TestPostgres.shared()
        let control = try statements(server.url, loop: loop)
        let settings = PostgresSettingsControl(statements: control, runtime: LoopRuntime(loop: loop))
        await #expect { try await settings.value(of: "no_such_setting") } throws: {
            ($0 as? StatementFailure)?.sqlState == "42704"
        }
        await control.close()
    }

    @Test("A reload that nobody could see is no reload")
    func reloadThatCannotBeSeenIsAFailure() async throws {
        let loop = try EventLoop(name: "test-rig")
        defer { loop.shutdown() }
        try await TestPostgres.withPrivateServer { server in
            let control = try statements(server.url, loop: loop)
            for text in [
                "CREATE ROLE blind LOGIN", "GRANT EXECUTE ON FUNCTION pg_reload_conf() TO blind",
                "REVOKE EXECUTE ON FUNCTION pg_conf_load_time() FROM PUBLIC",
            ] { try await control.run(text, within: .seconds(60)) }
            let blind = try statements(
                server.url.replacing("//\(server.role)@", with: "//blind@"), loop: loop)
            let settings = PostgresSettingsControl(statements: blind, runtime: LoopRuntime(loop: loop))
            await #expect { try await settings.set([]) } throws: { ($0 as? StatementFailure)?.sqlState == "42501" }
            await blind.close()
            await control.close()
        }
    }
}
