import Foundation
import HostSystem
import Reporting

/// Writes whole lines. Results go to standard output, everything else to standard error, so that a pipe gets results only.
enum Output {
    static func line(_ text: String) { write(text + "\n", to: FileHandle.standardOutput) }
    /// Errors hold what servers and files say: each line is cleaned of what would move a terminal's cursor.
    static func error(_ text: String) { write(TerminalText.cleanLines(text) + "\n", to: FileHandle.standardError) }
    /// Without a line feed, for a line that is written again and again.
    static func status(_ text: String) { write(text, to: FileHandle.standardError) }
    /// A command for the service that runs this job, which reads it in the log. Everything else is none.
    static func command(_ text: String) { write(text + "\n", to: FileHandle.standardError, isCommand: true) }

    /// GitHub Actions looks for commands in whatever this process writes.
    private static let isReadForCommands = currentEnvironment()["GITHUB_ACTIONS"] == "true"

    private static func write(_ text: String, to handle: FileHandle, isCommand: Bool = false) {
        let mustDefuse = isReadForCommands && !isCommand && !isFile(handle.fileDescriptor)
        let text = mustDefuse ? WorkflowLog.defused(text) : text
        // A reader that has gone away is no reason to stop: the run must still heal and write its files.
        try? handle.write(contentsOf: Data(text.utf8))
    }

    /// A file that a step writes is no log, and keeps what was meant.
    private static func isFile(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
