import Glibc
import HostSystem
import RigModel

extension ComposeService {
    private static let limit = Duration.seconds(30)

    /// The engine that its program asks here: by `DOCKER_HOST`, `DOCKER_CONTEXT` or the context that was chosen.
    package static func engine() async throws(ComposeError) -> EngineAddress {
        guard let docker = findProgram("docker") else { throw .noProgram }
        let text = try await output([docker, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])
        guard let line = text.split(whereSeparator: \.isWhitespace).last else { throw .noAddress }
        return EngineAddress(String(line))
    }

    /// Asks compose for the service's container, and the engine what it is.
    ///
    /// - Parameter file: as the scenario has it; relative to where the rig was started.
    package static func find(
        _ service: String, in file: String, on engine: EngineAddress
    ) async throws(ComposeError) -> ComposeService {
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
        let words = compose + ["-f", path, "ps", "-q", service]
        let ids = try await output(words, engine).split(whereSeparator: \.isNewline)
        guard let id = ids.first else { throw .notRunning(service: service, file: file) }
        let text = try await output([docker, "inspect", "--type", "container", String(id)], engine)
        guard let inspection = (try? JSONValue(parsing: text))?.arrayValue?.first else {
            throw .unreadable("what it is: no JSON list")
        }
        return try ComposeService(inspection: inspection, service: service, file: path, engine: engine)
    }

    /// What a program wrote. Nothing of it is kept: it may hold passwords.
    ///
    /// - Parameter engine: the one that it is to ask, whatever is chosen meanwhile.
    private static func output(
        _ arguments: [String], _ engine: EngineAddress? = nil
    ) async throws(ComposeError) -> String {
        var environment = currentEnvironment()
        if let engine {
            environment["DOCKER_HOST"] = engine.text
            environment["DOCKER_CONTEXT"] = nil
        }
        let command = arguments.joined(separator: " ")
        let result: ProgramResult
        do {
            result = try await ProgramCall(
                path: arguments[0], arguments: Array(arguments.dropFirst()), environment: environment, timeout: limit
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
