/// Runs a program and waits for it. Argument vectors only: nothing is ever read by a shell.
package protocol ProgramRunner: Sendable {
    /// - Returns: its exit status, and what it wrote to both outputs.
    func run(_ arguments: [String], within limit: Duration) async throws -> (exitCode: Int32, output: String)
}
