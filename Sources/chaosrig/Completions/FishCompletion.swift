/// Completions for fish. Pure.
enum FishCompletion {
    static func script(_ commands: [any Command.Type]) -> String {
        var lines = [
            "# fish completions of chaosrig. Put them into ~/.config/fish/completions/chaosrig.fish,",
            "# or: chaosrig completions fish | source",
            "# Made by the program from what its commands say about themselves.",
            "",
            "# The command is the second word; the same word may stand further behind.",
            "function __chaosrig_command",
            "    set -l words (commandline -opc)",
            "    test (count $words) -ge 2; and test $words[2] = $argv[1]",
            "end",
            "",
            "function __chaosrig_no_command",
            "    test (count (commandline -opc)) -lt 2",
            "end",
            "",
            "# $history is fish's own.",
            "function __chaosrig_runs",
            "    for file in runs/*/*/history.jsonl",
            "        dirname $file",
            "    end",
            "    __fish_complete_directories (commandline -ct)",
            "end",
            "",
            "# Scenario files, and folders on the way to them.",
            "function __chaosrig_scenarios",
            "    set -l word (commandline -ct)",
            "    set -l shipped faults/*.yaml",
            "    test -z \"$word\"; and string join \\n -- $shipped",
            "    __fish_complete_path \"$word\" | string match -er '^[^\\t]*(/|\\.ya?ml)(\\t|$)'",
            "end",
            "",
            "complete -c chaosrig -f",
            "complete -c chaosrig -s h -l help -d 'show help'",
            "complete -c chaosrig -n __chaosrig_no_command -l version -d 'print the version'",
            "complete -c chaosrig -n __chaosrig_no_command -a help -d 'show the help of a command'",
        ]
        for command in commands {
            lines.append(
                "complete -c chaosrig -n __chaosrig_no_command -a \(command.name) -d \(quoted(command.summary))")
            lines.append(
                "complete -c chaosrig -n '__chaosrig_command help' -a \(command.name) -d \(quoted(command.summary))")
        }
        for command in commands {
            let condition = "complete -c chaosrig -n '__chaosrig_command \(command.name)'"
            lines.append("")
            if let operands = arguments(command.operands) { lines.append("\(condition) \(operands)") }
            for option in command.options {
                let name = option.name.drop { $0 == "-" }
                let value = option.value == nil ? "" : " -x" + (arguments(option.kind).map { " \($0)" } ?? "")
                lines.append("\(condition) -l \(name)\(value) -d \(quoted(option.summary))")
            }
        }
        return lines.joined(separator: "\n")
    }

    private static func arguments(_ kind: ValueKind) -> String? {
        switch kind {
        case .free: nil
        case .words(let words): "-a \(quoted(words.map(\.name).joined(separator: " ")))"
        case .scenario: "-a '(__chaosrig_scenarios)'"
        case .runFolder: "-a '(__chaosrig_runs)'"
        case .folder: "-a '(__fish_complete_directories (commandline -ct))'"
        case .file: "-a '(__fish_complete_path (commandline -ct))'"
        }
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
}
