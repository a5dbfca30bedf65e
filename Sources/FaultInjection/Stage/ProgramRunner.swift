package import HostSystem

/// Runs a program and waits for it. Argument vectors only: nothing is ever read by a shell.
package protocol ProgramRunner: Sendable {
    /// - Parameters:
    ///   - arguments: the program, by its name or absolute path, and its arguments.
    ///   - network: where it runs; `nil` is the rig's own.
    /// - Returns: its exit status, and what it wrote to both outputs.
    func run(_ arguments: [String], in network: NetworkNamespace?, within limit: Duration) async throws -> (
        exitCode: Int32, output: String
    )
}

extension ProgramRunner {
    package func run(_ arguments: [String], within limit: Duration) async throws -> (exitCode: Int32, output: String) {
        try await run(arguments, in: nil, within: limit)
    }
}

extension String {
    /// What a program said, for messages.
    var firstLine: String { split(separator: "\n").first.map(String.init) ?? "no output" }
}
