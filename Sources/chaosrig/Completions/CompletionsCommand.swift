import RigModel

enum CompletionsCommand: Command {
    static let name = "completions"
    static let summary = "print completions for a shell"
    static let synopsis = ["bash|zsh|fish"]
    static let details = [
        "Completes commands, options and their values, scenario files and run folders. make install puts the completions of "
            + "all three shells where they look for them."
    ]
    static let operands = ValueKind.words([
        Word("bash", "source <(chaosrig completions bash)"), Word("zsh", "source <(chaosrig completions zsh)"),
        Word("fish", "chaosrig completions fish | source"),
    ])
    static let examples = ["chaosrig completions bash > ~/.local/share/bash-completion/completions/chaosrig"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        let names = operands.words.map(\.name)
        guard arguments.positional.count == 1, let shell = arguments.positional.first else {
            throw UsageError("name one shell: \(names.joined(separator: ", "))")
        }
        switch shell {
        case "bash": Output.line(BashCompletion.script(CommandTable.all))
        case "zsh": Output.line(ZshCompletion.script(CommandTable.all))
        case "fish": Output.line(FishCompletion.script(CommandTable.all))
        default:
            let near = NearestName.of(shell, in: names).map { " Did you mean \"\($0)\"?" } ?? ""
            throw UsageError("there are completions for \(names.joined(separator: ", ")), not for \"\(shell)\".\(near)")
        }
        return 0
    }
}
