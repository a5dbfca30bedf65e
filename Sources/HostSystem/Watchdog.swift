import CLinux
import Glibc
import Threading

/// A process that outlives the rig, also a SIGKILL: when the rig is gone it undoes what the journal still holds open.
///
/// The rig keeps the write end of a pipe and never writes; the watchdog reads the other end. The kernel closes the
/// write end however the rig ends, and the watchdog wakes up with the end of its input.
package final class Watchdog: Sendable {
    /// The hidden command of the rig's own program: `chaosrig __watchdog JOURNAL`.
    package static let command = "__watchdog"

    private let child: ChildProcess
    /// The write end of the pipe; -1 once it is closed.
    private let lifeline: Lock<Int32>

    private init(child: ChildProcess, lifeline: Int32) {
        self.child = child
        self.lifeline = Lock(lifeline)
    }

    deinit { letGo() }

    /// Starts the watchdog of a journal, before the first change is announced there.
    ///
    /// - Parameter executable: the program that understands ``command``; the rig's own unless a test says otherwise.
    package static func start(journal: Journal, executable: String = RigProgram.path) throws(SystemError) -> Watchdog {
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe(&ends) == 0 else { throw SystemError("make the watchdog's pipe") }
        defer { close(ends[0]) }
        do throws(SystemError) {
            // Standard output and error are /dev/null: `chaosrig run | cat` must end with the rig, not with its watchdog.
            let child = try ChildProcess(
                SpawnRequest(
                    path: executable, arguments: [command, journal.path], name: "chaosrig", workingDirectory: "/",
                    standardInput: ends[0], newSession: true))
            return Watchdog(child: child, lifeline: ends[1])
        } catch {
            close(ends[1])
            throw error
        }
    }

    package var pid: Int32 { child.pid }

    /// Lets the watchdog end and waits for it. It undoes first what the journal holds open: after a clean end nothing.
    ///
    /// - Returns: `.exited(0)` when nothing is left, `.exited(5)` when something is, `nil` when it did not end in time.
    package func finish(within limit: Duration = .seconds(60)) async -> ProcessEnd? {
        letGo()
        return await child.wait(within: limit)
    }

    private func letGo() {
        lifeline.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    /// What the hidden command does: waits until the rig has ended, then undoes. Ignores the signals that end a rig.
    ///
    /// - Returns: the exit status, 0 or 5.
    package static func main(journalPath: String) -> Int32 {
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE] { signal(number, SIG_IGN) }
        return keep(journalPath: journalPath, untilEndOf: STDIN_FILENO)
    }

    /// ``main(journalPath:)`` without the process around it.
    package static func keep(journalPath: String, untilEndOf input: Int32) -> Int32 {
        var byte: UInt8 = 0
        while true {
            let got = read(input, &byte, 1)
            if got == 0 || (got < 0 && errno != EINTR) { break }
        }
        guard let journal = try? Journal.open(existing: journalPath) else { return 5 }
        return journal.undoAllBlocking().isEmpty ? 0 : 5
    }
}
