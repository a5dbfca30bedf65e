import Glibc
import Threading

/// A journal that could not do its work. Nothing was changed under an announcement that failed.
package enum JournalError: Error, Equatable, CustomStringConvertible {
    /// There is one already: it belongs to another run.
    case exists(path: String)
    case cannotOpen(SystemError)
    /// The line is not known to be on disk, so the change must not be made.
    case cannotWrite(SystemError)
    case closed(path: String)

    package var description: String {
        switch self {
        case .exists(let path):
            "the journal \(path) exists already: it belongs to another run (chaosrig heal undoes what a dead run left)"
        case .cannotOpen(let error): "cannot use the journal: \(error)"
        case .cannotWrite(let error): "cannot write the journal, so nothing is changed: \(error)"
        case .closed(let path): "the journal \(path) is closed: no further change can be announced"
        }
    }
}

/// The journal of one run: an append-only file of JSON lines. A line is on disk (fsync) before its change is made, so
/// whoever finds the file can undo the run: the run itself, its watchdog, or `chaosrig heal`.
///
/// Thread-safe. Costs one fsync per announcement.
package final class Journal: UndoJournal {
    private struct State {
        var descriptor: Int32
        var open: [Int: Undo]
        var next: Int
    }

    /// Absolute.
    package let path: String
    private let damagedLines: [Int]
    private let state: Lock<State>

    private init(path: String, descriptor: Int32, text: JournalText) {
        self.path = path
        damagedLines = text.damagedLines
        state = Lock(State(descriptor: descriptor, open: text.open, next: text.next))
    }

    deinit { close() }

    /// A new journal for a run that begins.
    package static func create(at path: String) throws(JournalError) -> Journal {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
        if descriptor < 0 && errno == EEXIST { throw .exists(path: path) }
        guard descriptor >= 0 else { throw .cannotOpen(SystemError("create \(path)")) }
        // Absolute: the watchdog and later runs read it from other working directories.
        let path = SmallFile.realPath(path) ?? path
        let journal = Journal(path: path, descriptor: descriptor, text: JournalText([]))
        do { try SmallFile.syncFolder(parentFolder(of: path)) } catch { throw .cannotOpen(error) }
        return journal
    }

    /// The journal of a run that is dead, to undo what it left. A last line that was cut off is dropped.
    package static func open(existing path: String) throws(JournalError) -> Journal {
        let descriptor = Glibc.open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw .cannotOpen(SystemError("open \(path)")) }
        guard let content = SmallFile.bytes(path) else {
            let error = SystemError("read \(path)")
            Glibc.close(descriptor)
            throw .cannotOpen(error)
        }
        let text = JournalText(content)
        if text.completeBytes < content.count && ftruncate(descriptor, off_t(text.completeBytes)) != 0 {
            let error = SystemError("cut the torn last line off \(path)")
            Glibc.close(descriptor)
            throw .cannotOpen(error)
        }
        return Journal(path: path, descriptor: descriptor, text: text)
    }

    package func willChange(_ undo: Undo) throws -> Int {
        try state.withLock { state throws(JournalError) in
            let entry = state.next
            try append(JournalLine(will: entry, undo: undo), to: state.descriptor)
            state.next += 1
            state.open[entry] = undo
            return entry
        }
    }

    package func didUndo(_ entry: Int) throws {
        try state.withLock { state throws(JournalError) in
            guard state.open[entry] != nil else { return }
            try append(.undone(entry: entry), to: state.descriptor)
            state.open[entry] = nil
        }
    }

    /// Changes that are announced and not undone, oldest first.
    package var openEntries: [(entry: Int, undo: Undo)] {
        state.withLock { state in state.open.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }

    /// Undoes everything that is open, newest first, and checks each. Idempotent; a failure does not stop the others.
    ///
    /// - Returns: what could not be undone; it stays open in the journal.
    package func undoAll() async -> [Leftover] {
        await onOwnThread("undo") { [self] in undoAllBlocking() }
    }

    /// ``undoAll()`` on the calling thread, for the watchdog and for the end of a process.
    package func undoAllBlocking() -> [Leftover] {
        var leftovers = damagedLines.map { line in
            Leftover(
                undo: nil, problem: "line \(line) of \(path) cannot be read, so its change may not be undone",
                remedy: "read the line and undo it by hand")
        }
        for (entry, undo) in openEntries.reversed() {
            // The folder of a run leads `chaosrig heal` to this journal: it must be the last to go.
            if !leftovers.isEmpty, case .removeFolder(let path) = undo, SmallFile.exists(RunOwner.path(in: path)) {
                leftovers.append(
                    Leftover(
                        undo: undo, problem: "\(path) is kept, because it leads to the journal of what is left",
                        remedy: "chaosrig heal"))
                continue
            }
            do {
                try Undoer().perform(undo)
                try didUndo(entry)
            } catch {
                leftovers.append(Leftover(undo: undo, problem: "\(error)", remedy: undo.remedy))
            }
        }
        return leftovers
    }

    /// Closes the file. Nothing can be announced or ended after that. Idempotent.
    package func close() {
        state.withLock { state in
            if state.descriptor >= 0 { Glibc.close(state.descriptor) }
            state.descriptor = -1
        }
    }

    private func append(_ line: JournalLine, to descriptor: Int32) throws(JournalError) {
        guard descriptor >= 0 else { throw .closed(path: path) }
        do throws(SystemError) {
            try SmallFile.writeAll(line.bytes, to: descriptor, path: path)
            guard fsync(descriptor) == 0 else { throw SystemError("fsync \(path)") }
        } catch {
            throw .cannotWrite(error)
        }
    }
}

/// The folder that a path is in.
package func parentFolder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}
