import Glibc
import HostSystem

/// The server programs of one PostgreSQL version on this machine.
package struct PostgresInstallation: Sendable, Equatable {
    package let binFolder: String
    package let version: ServerVersion

    package var initdb: String { "\(binFolder)/initdb" }
    package var postgres: String { "\(binFolder)/postgres" }

    /// The environment variable that names the folder of the programs, and then nothing else is looked at.
    package static let variable = "CHAOSRIG_PG_BINDIR"

    /// Looks in `CHAOSRIG_PG_BINDIR`; else in what `pg_config --bindir` says, in `/usr/lib/postgresql/*/bin` (newest
    /// first) and on PATH. The first folder with both programs counts, and must be of a version that the rig knows.
    ///
    /// - Throws: ``ServerError/noServerBinaries(lookedAt:)``, ``ServerError/unsupportedVersion(text:binFolder:)``.
    package static func find(environment: [String: String] = currentEnvironment()) async throws(ServerError)
        -> PostgresInstallation
    {
        var lookedAt: [String] = []
        for candidate in await candidates(environment) {
            // The folder of the real file: initdb looks for postgres beside itself, and PATH may hold a link to one only.
            let programs = ["initdb", "postgres"].map { "\(candidate.folder)/\($0)" }
            guard programs.allSatisfy(isExecutableFile), let real = SmallFile.realPath(programs[0]) else {
                lookedAt.append("\(candidate.folder) (\(candidate.origin)): no initdb and postgres there")
                continue
            }
            return try await installation(in: String(real.dropLast("/initdb".count)))
        }
        throw .noServerBinaries(lookedAt: lookedAt.isEmpty ? ["PATH"] : lookedAt)
    }

    /// Orders the version folders of Debian's layout, newest first; names that are not versions come last.
    package static func newestFirst(_ names: [String]) -> [String] {
        func key(_ name: String) -> Double { Double(name) ?? -1 }
        return names.sorted { (key($0), $0) > (key($1), $1) }
    }

    private static func candidates(_ environment: [String: String]) async -> [(folder: String, origin: String)] {
        if let folder = environment[variable], !folder.isEmpty { return [(folder, variable)] }
        var found: [(String, String)] = []
        let path = (environment["PATH"] ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        // Debian's pg_config belongs to the client library and may name a folder without a server.
        if let program = findProgram("pg_config", in: path),
            let result = try? await runProgram(path: program, arguments: ["--bindir"], timeout: .seconds(10)),
            result.succeeded
        {
            found.append((result.standardOutput.split(separator: "\n").first.map(String.init) ?? "", "pg_config"))
        }
        let debian = "/usr/lib/postgresql"
        for name in newestFirst(SmallFile.names(in: debian) ?? []) {
            found.append(("\(debian)/\(name)/bin", debian))
        }
        return found + path.map { ($0, "PATH") }
    }

    private static func installation(in folder: String) async throws(ServerError) -> PostgresInstallation {
        let words: String
        do {
            words = try await runProgram(path: "\(folder)/postgres", arguments: ["--version"], timeout: .seconds(10))
                .standardOutput
        } catch {
            throw .noServerBinaries(lookedAt: ["\(folder): \(error)"])
        }
        guard let version = ServerVersion(programOutput: words), ServerVersion.supported.contains(version.major) else {
            throw .unsupportedVersion(text: words.isEmpty ? "an unknown version" : words, binFolder: folder)
        }
        return PostgresInstallation(binFolder: folder, version: version)
    }
}
