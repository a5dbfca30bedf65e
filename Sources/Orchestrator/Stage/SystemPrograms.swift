import FaultInjection
import HostSystem

/// Programs of this machine, for faults that are made by them.
struct SystemPrograms: ProgramRunner {
    func run(_ arguments: [String], in network: NetworkNamespace?, within limit: Duration) async throws -> (
        exitCode: Int32, output: String
    ) {
        guard let name = arguments.first, let path = name.hasPrefix("/") ? name : findProgram(name) else {
            return (127, "the program \(arguments.first ?? "") is not on this machine")
        }
        let result = try await runProgram(
            path: path, arguments: Array(arguments.dropFirst()), timeout: limit, network: network)
        return (result.exitCode ?? 128 + (result.signal ?? 0), result.standardOutput + result.standardError)
    }
}
