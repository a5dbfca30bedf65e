enum ManualCommand: Command {
    static let name = "manual"
    static let summary = "print the man page"
    static let synopsis = [""]
    static let details = [
        "Prints chaosrig(1) as man reads it. make install puts it where man looks for it."
    ]
    static let examples = ["chaosrig manual | man -l -"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard arguments.positional.isEmpty else { throw UsageError("manual takes no arguments") }
        Output.line(ManualPage(commands: CommandTable.all).text)
        return 0
    }
}
