/// Completions for bash 4 and later. Pure.
enum BashCompletion {
    static func script(_ commands: [any Command.Type]) -> String {
        let names = commands.map { $0.name }.joined(separator: " ")
        return """
            # bash completions of chaosrig. Load them with: source <(chaosrig completions bash)
            # Made by the program from what its commands say about themselves.

            # One line, one word: names may hold spaces.
            _chaosrig_reply() { mapfile -t COMPREPLY < <("$@" 2>/dev/null); }

            _chaosrig_words() { _chaosrig_reply compgen -W "$1" -- "$2"; }

            # Scenario files, and folders on the way to them.
            _chaosrig_scenarios() {
                compgen -f -X '!*.yaml' -- "$1"
                compgen -f -X '!*.yml' -- "$1"
                compgen -d -- "$1"
                [[ -n $1 ]] || compgen -G 'faults/*.yaml'
            }

            # Folders that runs left, and folders on the way to them.
            _chaosrig_runs() {
                local folder
                compgen -d -- "$1"
                for folder in runs/*/*/; do
                    folder=${folder%/}
                    [[ -e $folder/history.jsonl && $folder == "$1"* ]] && printf '%s\\n' "$folder"
                done
            }

            _chaosrig() {
                COMPREPLY=()
                local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} command= behind= i
                # Bash breaks --option=value into three words.
                if [[ $cur == "=" ]]; then
                    cur=
                elif [[ $option == "=" && $COMP_CWORD -gt 2 ]]; then
                    option=${COMP_WORDS[COMP_CWORD - 2]}
                fi
                ((COMP_CWORD > 1)) && command=${COMP_WORDS[1]}
                for ((i = 2; i < COMP_CWORD; i++)); do
                    # Behind -- no word is an option.
                    [[ ${COMP_WORDS[i]} == -- ]] && option= behind=1
                done
                case $command in
                    '') _chaosrig_words '\(names) help --help --version' "$cur" ;;
                    help) _chaosrig_words '\(names)' "$cur" ;;
            \(commands.map(branch).joined(separator: "\n"))
                esac
            }

            complete -o filenames -F _chaosrig chaosrig
            """
    }

    private static func branch(_ command: any Command.Type) -> String {
        let options = command.options.map(\.name) + ["--help"]
        var lines = ["        \(command.name))", "            case $option in"]
        for option in command.options where option.value != nil {
            lines.append("                \(option.name)) \(reply(option.kind) ?? ":") ;;")
        }
        let words = "_chaosrig_words '\(options.joined(separator: " "))' \"$cur\""
        lines.append("                *) if [[ -z $behind && $cur == -* ]]; then \(words)")
        if let operands = reply(command.operands) { lines.append("                    else \(operands)") }
        lines += ["                    fi ;;", "            esac ;;"]
        return lines.joined(separator: "\n")
    }

    /// The command that fills the reply; `nil`: nothing is offered.
    private static func reply(_ kind: ValueKind) -> String? {
        switch kind {
        case .free: nil
        case .words(let words): "_chaosrig_words '\(words.map(\.name).joined(separator: " "))' \"$cur\""
        case .scenario: "_chaosrig_reply _chaosrig_scenarios \"$cur\""
        case .runFolder: "_chaosrig_reply _chaosrig_runs \"$cur\""
        case .folder: "_chaosrig_reply compgen -d -- \"$cur\""
        case .file: "_chaosrig_reply compgen -f -- \"$cur\""
        }
    }
}
