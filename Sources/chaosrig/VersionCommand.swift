import Orchestrator

enum VersionCommand: Command {
    static let name = "version"
    static let summary = "print the version"
    static let synopsis = [""]
    static let details: [String] = []
    static let examples = ["chaosrig version"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard arguments.positional.isEmpty else { throw UsageError("version takes no arguments") }
        Output.line("chaosrig \(RigVersion.current)")
        return 0
    }
}
