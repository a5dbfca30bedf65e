package import DatabaseServers
import HostSystem

/// A real PostgreSQL server for tests. One is shared by the whole test process, started when it is first asked for and
/// removed when the process ends; a test that stops or breaks its server takes a private one.
///
/// Tests that share it must keep apart: tables with names of their own, no restart, no ALTER SYSTEM.
package final class TestPostgres: Sendable {
    /// For libpq: TCP on 127.0.0.1, superuser `chaosrig`, database `postgres`.
    package let url: String
    package let port: UInt16
    /// The folder of its Unix socket.
    package let socketDirectory: String
    /// Do not stop it: others use it too.
    package let server: ManagedPostgres

    private init(_ server: ManagedPostgres) {
        self.server = server
        url = server.url
        port = server.port
        socketDirectory = server.socketDirectory
    }

    private static let starting = Task {
        // Many tests at once, and some ask for dozens of sessions; those of ended ones take their time to leave.
        var options = ManagedPostgres.Options()
        options.maxConnections = 500
        return TestPostgres(try await makeServer(options))
    }

    /// The server of this test process. The first call takes about a second.
    ///
    /// - Throws: ``DatabaseServers/ServerError`` when this machine has none; a test then fails, and says what is missing.
    package static func shared() async throws -> TestPostgres { try await starting.value }

    /// Lends a server that nobody else uses, and removes it on every way out.
    package static func withPrivateServer<R>(
        _ options: ManagedPostgres.Options = ManagedPostgres.Options(),
        _ body: (_ server: ManagedPostgres) async throws -> R
    ) async throws -> R {
        let server = try await makeServer(options)
        let result: R
        do { result = try await body(server) } catch {
            try await server.destroy()
            throw error
        }
        try await server.destroy()
        return result
    }

    /// Lends a server that nobody else uses with a standby that follows it synchronously, and removes both on every way out.
    package static func withStandby<R>(
        _ body: (_ server: ManagedPostgres, _ standby: ManagedPostgres) async throws -> R
    ) async throws -> R {
        var options = ManagedPostgres.Options()
        options.settings = [("synchronous_standby_names", "*")]
        return try await withPrivateServer(options) { server in
            let site = try await onOwnThread("test site") { TestSite.shared }.get()
            options.settings = [("synchronous_standby_names", "")]
            let standby = try await ManagedPostgres.createStandby(
                of: server, in: site.scratch, journal: site.journal, options: options)
            let result: R
            do { result = try await body(server, standby) } catch {
                try await standby.destroy()
                throw error
            }
            try await standby.destroy()
            return result
        }
    }

    private static func makeServer(_ options: ManagedPostgres.Options) async throws -> ManagedPostgres {
        let site = try await onOwnThread("test site") { TestSite.shared }.get()
        return try await ManagedPostgres.create(in: site.scratch, journal: site.journal, options: options)
    }
}
