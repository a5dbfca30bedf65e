import FaultInjection
import HostSystem
import RigModel

/// Programs that faults call, with their output in the history. Thread-safe.
struct RecordingPrograms: ProgramRunner {
    /// The history needs no book of each packet: the beginning of what a program wrote says what it did.
    private static let outputLimit = 2_000

    let programs: any ProgramRunner
    let sink: any EventSink

    func run(_ arguments: [String], in network: NetworkNamespace?, within limit: Duration) async throws -> (
        exitCode: Int32, output: String
    ) {
        do {
            let result = try await programs.run(arguments, in: network, within: limit)
            record(arguments, ["exit": JSONValue(result.exitCode), "output": .string(Self.short(result.output))])
            return result
        } catch {
            record(arguments, ["error": .string("\(error)")])
            throw error
        }
    }

    private func record(_ arguments: [String], _ facts: JSONValue) {
        guard case .object(let members) = facts else { return }
        let words = JSONValue.Member("program", .array(arguments.map { .string($0) }))
        sink.record(.info, .nemesis, "program", .object([words] + members))
    }

    private static func short(_ text: String) -> String {
        text.count <= outputLimit ? text : text.prefix(outputLimit) + "…"
    }
}
