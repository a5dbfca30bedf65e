import ConnectionPool
import FaultInjection
import Glibc
import HostSystem
import RigModel
import SQLiteDriver
import Threading

/// What the hidden command `chaosrig __sqlite-work` does: works on a database file until its standard input ends. It is the
/// other process of faults, since locks of one process are not those of two.
package struct SQLiteWorker {
    package static let command = "__sqlite-work"
    /// What it says whenever it has got what it wanted.
    static let turnLine = "got it"

    private let path: String
    private let work: FileWork

    /// - Parameter arguments: a folder of the run, by which the process is found when the rig is gone; the file; the work.
    /// - Returns: the exit status.
    package static func main(_ arguments: [String]) -> Int32 {
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE] { signal(number, SIG_IGN) }
        guard arguments.count >= 3, let work = FileWork(words: Array(arguments.dropFirst(2))) else { return 2 }
        do throws(DriverError) {
            try SQLiteWorker(path: arguments[1], work: work).run()
            return 0
        } catch {
            say("\(error.cause.code ?? error.cause.name): \(error.message)")
            return 1
        }
    }

    static func arguments(_ folder: String, _ path: String, _ work: FileWork) -> [String] {
        [command, folder, path] + work.words
    }

    private func run() throws(DriverError) {
        let handle = SQLiteHandle()
        defer { _ = handle.close() }
        try handle.open(SQLiteConfiguration(path: path, journalMode: nil, createsIfMissing: false))
        switch work {
        case .holdWriteLock:
            guard try takeLock(handle) else { return }
            _ = Self.inputEnds(within: .seconds(86_400))
        case .takeWriteLock(let hold, let every):
            var next = MonotonicInstant.now
            while try takeLock(handle) {
                if Self.inputEnds(within: hold) { return }
                _ = try handle.run(.rollback)
                // A turn that came late does not make the next ones closer.
                next = max(next.advanced(by: every), .now)
                if Self.inputEnds(within: MonotonicInstant.now.duration(to: next)) { return }
            }
        case .read:
            _ = try handle.run(SQLStatement("BEGIN", role: .begin))
            // The snapshot is taken by the first look, not by BEGIN.
            _ = try handle.run(SQLStatement("SELECT count(*) FROM sqlite_master", role: .read))
            Self.say(Self.turnLine)
            _ = Self.inputEnds(within: .seconds(86_400))
        }
    }

    /// Tries for the write lock until it gets it.
    ///
    /// - Returns: `false` when the input ended first.
    private func takeLock(_ handle: SQLiteHandle) throws(DriverError) -> Bool {
        while true {
            do throws(DriverError) {
                _ = try handle.run(SQLStatement("BEGIN IMMEDIATE", role: .begin))
                Self.say(Self.turnLine)
                return true
            } catch {
                guard case .busy = error.cause else { throw error }
                if Self.inputEnds(within: .milliseconds(1)) { return false }
            }
        }
    }

    private static func inputEnds(within limit: Duration) -> Bool {
        Waiting.forDescriptor(STDIN_FILENO, until: .now.advanced(by: max(limit, .zero)))
    }

    private static func say(_ text: String) {
        let line = text + "\n"
        _ = line.withCString { write(STDOUT_FILENO, $0, strlen($0)) }
    }
}

extension FileWork {
    /// As arguments of the hidden command.
    var words: [String] {
        switch self {
        case .holdWriteLock: ["hold"]
        case .takeWriteLock(let hold, let every): ["storm", "\(hold.nanoseconds)", "\(every.nanoseconds)"]
        case .read: ["read"]
        }
    }

    init?(words: [String]) {
        switch (words.first, words.count) {
        case ("hold", 1): self = .holdWriteLock
        case ("read", 1): self = .read
        case ("storm", 3):
            guard let hold = Int64(words[1]), let every = Int64(words[2]) else { return nil }
            self = .takeWriteLock(hold: .nanoseconds(hold), every: .nanoseconds(every))
        default: return nil
        }
    }
}
