/// Completions for zsh. Pure.
enum ZshCompletion {
    static func script(_ commands: [any Command.Type]) -> String {
        let names = commands.map { "        \(quoted("\($0.name):\($0.summary)"))" }.joined(separator: "\n")
        return """
            #compdef chaosrig
            # zsh completions of chaosrig. Put them into a folder of $fpath as _chaosrig, or: source <(chaosrig completions zsh)
            # Made by the program from what its commands say about themselves.

            _chaosrig_scenarios() { _files -g '*.(yaml|yml)' }

            _chaosrig_runs() {
                local -a folders
                folders=(runs/*/*/history.jsonl(N:h))
                _alternative 'runs:run folder:compadd -a folders' 'folders:folder:_files -/'
            }

            _chaosrig() {
                local context state state_descr line curcontext="$curcontext"
                typeset -A opt_args
                local -a commands
                commands=(
            \(names)
                )
                _arguments -C '(- *)'{-h,--help}'[show help]' '(- *)--version[print the version]' \\
                    '1: :->command' '*:: :->arguments' && return
                case $state in
                    command) _describe -t commands command commands ;;
                    arguments)
                        case $words[1] in
                            help) _describe -t commands command commands ;;
            \(commands.map(branch).joined(separator: "\n"))
                        esac ;;
                esac
            }

            if [ "$funcstack[1]" = "_chaosrig" ]; then
                _chaosrig "$@"
            else
                compdef _chaosrig chaosrig
            fi
            """
    }

    private static func branch(_ command: any Command.Type) -> String {
        var specs = ["'(- *)'{-h,--help}'[show help]'"]
        specs += command.options.map(spec)
        if let action = action(command.operands) { specs.append(quoted("*:\(what(command.operands)):\(action)")) }
        let indent = "                        "
        return "                \(command.name))\n\(indent)_arguments -S \\\n"
            + specs.map { "\(indent)    \($0)" }.joined(separator: " \\\n") + " ;;"
    }

    private static func spec(_ option: OptionSpec) -> String {
        let repeats = option.isRepeatable ? "*" : ""
        let summary = escaped(option.summary, ":[]")
        guard let value = option.value else { return quoted("\(repeats)\(option.name)[\(summary)]") }
        return quoted("\(repeats)\(option.name)=[\(summary)]:\(escaped(value, ":")):\(action(option.kind) ?? "")")
    }

    private static func what(_ kind: ValueKind) -> String {
        switch kind {
        case .free, .words: "word"
        case .scenario: "scenario file"
        case .runFolder: "run folder"
        case .folder: "folder"
        case .file: "file"
        }
    }

    private static func action(_ kind: ValueKind) -> String? {
        switch kind {
        case .free: nil
        case .words(let words): "(\(words.map { escaped($0.name, ":() ") }.joined(separator: " ")))"
        case .scenario: "_chaosrig_scenarios"
        case .runFolder: "_chaosrig_runs"
        case .folder: "_files -/"
        case .file: "_files"
        }
    }

    private static func escaped(_ text: String, _ characters: String) -> String {
        text.map { $0 == "\\" || characters.contains($0) ? "\\\($0)" : "\($0)" }.joined()
    }

    /// As one word of the shell.
    private static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: #"'\''"#) + "'" }
}
