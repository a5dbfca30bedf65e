import Orchestrator

enum VersionCommand: Command {
    static let name = "version"
    static let summary = "print the version"
    static let options: [OptionSpec] = []
    static let help = """
        Usage: chaosrig version

        Example:
          chaosrig version
        """

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        Output.line("chaosrig \(RigVersion.current)")
        return 0
    }
}
