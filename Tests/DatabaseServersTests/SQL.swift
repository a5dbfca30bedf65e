import DatabaseServers
import Glibc
import HostSystem
import Testing

/// SQL for tests of the server itself, through `psql`: nothing of the rig's own drivers takes part.
struct SQL {
    let server: ManagedPostgres
    let psql: String

    init(_ server: ManagedPostgres) async throws {
        self.server = server
        psql = try await PostgresInstallation.find().binFolder + "/psql"
    }

    /// The rows of a statement, one line each, columns divided by `|`.
    ///
    /// - Throws: `Failed` with the server's words.
    @discardableResult
    func run(_ statement: String, over host: String = "127.0.0.1") async throws -> String {
        let result = try await runProgram(
            path: psql,
            arguments: arguments(host) + ["-c", statement], environment: ["PGCONNECT_TIMEOUT": "10"],
            timeout: .seconds(60))
        guard result.succeeded else { throw Failed(words: result.standardError) }
        return String(result.standardOutput.dropLast())
    }

    /// A session that runs one statement for long, as a process of its own. Returns once the server shows it.
    func session(_ statement: String, name: String) async throws -> ChildProcess {
        let child = try ChildProcess(
            SpawnRequest(
                path: psql, arguments: arguments("127.0.0.1") + ["-c", statement], environment: ["PGAPPNAME": name]))
        let shown = "select count(*) from pg_stat_activity where application_name = '\(name)' and state = 'active'"
        for _ in 0..<1000 where try await run(shown) == "1" { return child }
        child.signal(SIGKILL)
        throw Failed(words: "session \(name) did not appear")
    }

    struct Failed: Error, CustomStringConvertible {
        let words: String
        var description: String { words }
    }

    private func arguments(_ host: String) -> [String] {
        ["-X", "-q", "-A", "-t", "-h", host, "-p", "\(server.port)", "-U", server.role, "-d", "postgres"]
    }
}
