import CLinux
import Glibc
import Threading

/// A network and a mount table of the rig's own: what it does to packets, mounts and names reaches nobody else, and is gone when
/// its processes are.
///
/// Only a process with a single thread may enter a user namespace, and a mount namespace holds for a whole process. So the rig
/// executes itself anew, in the same process (signals, exit status and outputs stay whose they are), and enters first thing.
package enum PrivateStage {
    /// The hidden command that enters a stage and becomes a program there: `chaosrig __stage PROGRAM ARGUMENT…`. Without a
    /// program it ends with 0. What it does is gone when it ends: a place to try things.
    package static let command = "__stage"

    package enum State: Sendable, Equatable {
        case outside
        case inside
        /// It was wanted, and this machine does not give one.
        case unavailable(reason: String)
    }

    /// How one execution tells the next to enter; `none` from the user keeps the rig on the machine's own network.
    private static let variable = "CHAOSRIG_STAGE"
    private static let current = Lock(State.outside)

    /// Where this process is.
    package static var state: State { current.withLock { $0 } }

    /// The first thing that a program does: enters a stage when ``reenter(arguments:)`` asked for it. A process that cannot, which
    /// was tried before, may be in half a stage, and is ended with 3: what it did next might reach the machine, or nothing.
    package static func enterIfAsked() {
        guard let wish = getenv(variable).map({ String(cString: $0) }) else { return }
        guard wish == "enter" else { return giveUp("\(variable)=\(wish)") }
        unsetenv(variable)
        do {
            try enter()
            current.withLock { $0 = .inside }
        } catch {
            complain("the private stage could not be entered: \(error). \(variable)=none goes on without one")
            exit(3)
        }
    }

    /// Executes this program anew, inside a stage. Only comes back when it could not; then this process is as before.
    package static func reenter(arguments: [String]) {
        setenv(variable, "enter", 1)
        exec(
            SmallFile.linkTarget("/proc/self/exe").flatMap { isExecutableFile($0) ? $0 : nil } ?? "/proc/self/exe",
            arguments)
        let error = SystemError("execute the rig anew")
        unsetenv(variable)
        giveUp("\(error)")
    }

    /// There is none: the run goes on without.
    package static func giveUp(_ reason: String) { current.withLock { $0 = .unavailable(reason: reason) } }

    /// What the hidden command does.
    ///
    /// - Returns: the exit status, 1 where a stage is not to be had (with the reason on standard error), 127 without the program.
    package static func main(_ arguments: [String]) -> Int32 {
        do { try enter() } catch {
            complain("\(error)")
            return 1
        }
        guard let name = arguments.first else { return 0 }
        guard let path = name.hasPrefix("/") ? name : findProgram(name) else {
            complain("the program \(name) is not on this machine")
            return 127
        }
        exec(path, arguments)
        complain("\(SystemError("execute \(path)"))")
        return 127
    }

    private static func complain(_ text: String) {
        try? SmallFile.writeAll(Array("\(text)\n".utf8), to: STDERR_FILENO, path: "standard error")
    }

    private static func enter() throws(SystemError) {
        var step: UnsafePointer<CChar>?
        guard clinux_enter_private_stage(&step) != 0 else { return }
        let code = errno
        throw SystemError(step.map { String(cString: $0) } ?? "enter a private stage", code: code)
    }

    /// Returns only when it failed.
    private static func exec(_ path: String, _ arguments: [String]) {
        var vector = arguments.map { strdup($0) }
        vector.append(nil)
        vector.withUnsafeBufferPointer { _ = clinux_exec(path, $0.baseAddress) }
        let code = errno
        vector.forEach { free($0) }
        errno = code
    }
}
