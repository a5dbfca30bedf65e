import Foundation

/// Words as a shell takes them, for commands that people copy. Pure.
enum ShellWord {
    /// In quotes where the shell would take it for something else.
    static func quoted(_ word: String) -> String {
        let plain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=%:,".contains($0) }
        return plain && !word.isEmpty ? word : "'" + word.replacingOccurrences(of: "'", with: #"'\''"#) + "'"
    }

    /// A file that no command takes for an option.
    static func file(_ path: String) -> String { path.hasPrefix("-") ? "./" + path : path }
}
