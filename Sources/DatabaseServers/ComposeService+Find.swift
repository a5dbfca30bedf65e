import Glibc
import HostSystem
import RigModel

extension ComposeService {
    private static let limit = Duration.seconds(30)

    /// Asks compose for the service's container, and the engine what it is.
    ///
    /// - Parameter file: as the scenario has it; relative to where the rig was started.
    package static func find(_ service: String, in file: String) async throws(ComposeError) -> ComposeService {
        guard let docker = findProgram("docker") else { throw .noProgram }
        let compose: [String]
        if let program = findProgram("docker-compose") {
            compose = [program]
        } else if (try? await output([docker, "compose", "version"])) != nil {
            compose = [docker, "compose"]
        } else {
            throw .noProgram
        }
        let path = SmallFile.realPath(file) ?? file
        let ids = try await output(compose + ["-f", path, "ps", "-q", service]).split(whereSeparator: \.isNewline)
        guard let id = ids.first else { throw .notRunning(service: service, file: file) }
        let text = try await output([docker, "inspect", "--type", "container", String(id)])
        guard let inspection = (try? JSONValue(parsing: text))?.arrayValue?.first else {
            throw .unreadable("what it is: no JSON list")
        }
        return try ComposeService(inspection: inspection, service: service, file: path)
    }

    /// What a program wrote. Nothing of it is kept: it may hold passwords.
    private static func output(_ arguments: [String]) async throws(ComposeError) -> String {
        let command = arguments.joined(separator: " ")
        let result: ProgramResult
        do {
            result = try await ProgramCall(
                path: arguments[0], arguments: Array(arguments.dropFirst()), timeout: limit
            ).run()
        } catch {
            throw .failed(command: command, words: "\(error)")
        }
        guard result.succeeded else {
            let words = result.standardError.split(separator: "\n").last.map(String.init) ?? "\(result.status)"
            throw .failed(command: command, words: words)
        }
        return result.standardOutput
    }
}
