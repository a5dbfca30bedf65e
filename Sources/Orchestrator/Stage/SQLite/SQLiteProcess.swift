import FaultInjection
import HostSystem
import RigModel
import Threading

/// Another process that works on the database file; see ``SQLiteWorker``. Its undo is in the journal before it starts:
/// whoever undoes the run finds it by the folder in its command line. Thread-safe.
final class SQLiteProcess: FileProcess {
    private static let startLimit = Duration.seconds(10)
    private static let endLimit = Duration.seconds(2)

    private let process: TalkingProcess
    private let folder: String
    private let journal: any UndoJournal
    private let entry: Int
    private let isOver = Lock(false)

    /// - Parameter folder: below the run's own; nobody else's, need not exist.
    private init(_ work: FileWork, path: String, folder: String, journal: any UndoJournal) throws {
        self.folder = folder
        self.journal = journal
        entry = try journal.willChange(.removeFolder(path: folder))
        process = try TalkingProcess(
            path: RigProgram.path, arguments: SQLiteWorker.arguments(folder, path, work), name: "chaosrig")
    }

    /// Starts it; it has its lock or its snapshot when this returns.
    static func start(
        _ work: FileWork, path: String, folder: String, journal: any UndoJournal
    ) async throws -> SQLiteProcess {
        let process = try SQLiteProcess(work, path: path, folder: folder, journal: journal)
        let limit = MonotonicInstant.now.advanced(by: startLimit)
        while process.turns == 0, process.process.isRunning, MonotonicInstant.now < limit {
            try? await Task.sleep(for: .milliseconds(5))
        }
        guard process.turns > 0 else {
            let last = process.process.lastLine
            try await process.end()
            throw SQLiteProcessError(
                description: "the other process did not get \(work == .read ? "to read" : "the write lock") within "
                    + "\(TimeText.words(nanoseconds: startLimit.nanoseconds))" + (last.map { ": \($0)" } ?? ""))
        }
        return process
    }

    var pid: Int32 { process.pid }
    var isRunning: Bool { process.isRunning }
    var turns: Int { process.lastLine == SQLiteWorker.turnLine ? process.lines : max(0, process.lines - 1) }

    func end() async throws {
        guard !isOver.withLock({ $0 }) else { return }
        await process.end(within: Self.endLimit)
        let folder = folder
        try await onOwnThread(
            "end other",
            throwing: { () throws(UndoFailure) in
                try Undoer().perform(.removeFolder(path: folder))
            })
        try journal.didUndo(entry)
        isOver.withLock { $0 = true }
    }
}

struct SQLiteProcessError: Error, CustomStringConvertible {
    let description: String
}
