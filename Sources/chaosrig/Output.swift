import Glibc
import HostSystem
import Reporting
import Threading

/// Writes whole lines. Results go to standard output, everything else to standard error, so that a pipe gets results only.
/// Thread-safe.
enum Output {
    static func line(_ text: String) { writeResult(text + "\n") }
    /// Errors hold what servers and files say: each line is cleaned of what would move a terminal's cursor.
    static func error(_ text: String) { write(TerminalText.cleanLines(text) + "\n", to: STDERR_FILENO) }
    /// Without a line feed, for a line that is written again and again.
    static func status(_ text: String) { write(text, to: STDERR_FILENO) }
    /// A command for the service that runs this job, which reads it in the log. Everything else is none.
    static func command(_ text: String) { write(text + "\n", to: STDERR_FILENO, isCommand: true) }

    /// The exit code of a program whose results may have been lost: never 0 then.
    static func exitCode(_ code: Int32) -> Int32 { code == 0 && hasLostResults.withLock { $0 } ? 5 : code }

    /// Standard output took something not: the disk is full.
    private static let hasLostResults = Lock(false)

    /// GitHub Actions looks for commands in whatever this process writes.
    private static let isReadForCommands = currentEnvironment()["GITHUB_ACTIONS"] == "true"

    private static func writeResult(_ text: String) {
        guard let code = write(text, to: STDOUT_FILENO), code != EPIPE else { return }
        // Once: a proxy writes for days.
        let isFirst = hasLostResults.withLock { lost in
            defer { lost = true }
            return !lost
        }
        if isFirst { error("chaosrig: cannot write to standard output: \(errorText(code))") }
    }

    /// - Returns: `errno` of what could not be written. A reader that has gone away is no reason to stop: the run must still heal and
    ///   write its files.
    @discardableResult
    private static func write(_ text: String, to descriptor: Int32, isCommand: Bool = false) -> Int32? {
        let mustDefuse = isReadForCommands && !isCommand && !isFile(descriptor)
        let bytes = Array((mustDefuse ? WorkflowLog.defused(text) : text).utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                done += count
            } else if errno == EAGAIN {
                // Another program that has the terminal, too, may have made it so.
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&wait, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }

    /// A file that a step writes is no log, and keeps what was meant.
    private static func isFile(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
