import Foundation

/// Writes whole lines. Results go to standard output, everything else to standard error, so that a pipe gets results only.
enum Output {
    static func line(_ text: String) { write(text + "\n", to: FileHandle.standardOutput) }
    static func error(_ text: String) { write(text + "\n", to: FileHandle.standardError) }
    /// Without a line feed, for a line that is written again and again.
    static func status(_ text: String) { write(text, to: FileHandle.standardError) }

    private static func write(_ text: String, to handle: FileHandle) {
        // A reader that has gone away is no reason to stop: the run must still heal and write its files.
        try? handle.write(contentsOf: Data(text.utf8))
    }
}
