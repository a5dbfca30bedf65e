import ConnectionPool
import FaultInjection
import HostSystem
import Probes
import RigModel
import SQLiteDriver
import Threading

/// The database file as faults see it. Thread-safe.
final class SQLiteFileControl: DatabaseFileControl {
    private static let limit = Duration.seconds(30)

    /// Absolute: the other process has another working directory.
    private let path: String
    private let shim: SQLiteShim
    private let scratch: RunScratch
    private let journal: any UndoJournal
    private let beside: SQLiteLocker
    private let asPool: SQLiteLocker
    /// The copy that the name leads to.
    private let copy = Lock<String?>(nil)
    /// Those that hold the write lock, at least now and then.
    private let lockers = Lock<[SQLiteProcess]>([])

    init(path: String, shim: SQLiteShim, scratch: RunScratch, journal: any UndoJournal) {
        let folder = SmallFile.realPath(parentFolder(of: path))
        let name = path.split(separator: "/").last.map(String.init) ?? path
        self.path = folder.map { ($0 == "/" ? "" : $0) + "/" + name } ?? path
        self.shim = shim
        self.scratch = scratch
        self.journal = journal
        beside = SQLiteLocker(path: self.path)
        asPool = SQLiteLocker(path: self.path, fileSystem: shim.uncountedName)
    }

    // MARK: Beside the pool

    func startProcess(_ work: FileWork) async throws -> any FileProcess {
        let process = try await SQLiteProcess.start(
            work, path: path, folder: scratch.newPath("other"), journal: journal)
        lockers.withLock { lockers in
            lockers.removeAll { !$0.isRunning }
            if work != .read { lockers.append(process) }
        }
        return process
    }

    func tryWrite() async -> String { await beside.tryWrite() }

    func checkpoint(within limit: Duration) async throws -> LogState {
        let deadline = MonotonicInstant.now.advanced(by: limit)
        while true {
            let row = try await withConnection { connection throws(DriverError) in
                try await connection.execute(
                    SQLStatement("PRAGMA wal_checkpoint(PASSIVE)", role: .read),
                    deadline: .now.advanced(by: Self.limit)
                ).rows.first ?? []
            }
            let answer = row.map { $0.intValue ?? -1 }
            guard answer.count == 3 else {
                throw SQLiteProcessError(description: "no answer to a checkpoint of \(path)")
            }
            if answer[1] >= 0 { return LogState(pages: Int(answer[1]), checkpointed: Int(answer[2])) }
            // Busy and without numbers: somebody else makes a checkpoint just now.
            guard answer[0] == 1, MonotonicInstant.now < deadline else {
                throw SQLiteProcessError(
                    description: answer[0] == 1
                        ? "others made checkpoints of \(path) all the time"
                        : "\(path) has no log: it is not in WAL mode")
            }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    func logBytes() -> Int { SmallFile.size(path + "-wal") ?? 0 }

    private func withConnection<R: Sendable>(
        _ body: (SQLiteConnection) async throws(DriverError) -> R
    ) async throws(DriverError) -> R {
        let deadline = MonotonicInstant.now.advanced(by: Self.limit)
        let file = SQLiteConfiguration(path: path, journalMode: nil, createsIfMissing: false)
        let connection = try await SQLiteDriver(file).connect(deadline: deadline)
        let result: Result<R, DriverError>
        do throws(DriverError) { result = .success(try await body(connection)) } catch { result = .failure(error) }
        await connection.close(deadline: deadline)
        return try result.get()
    }

    // MARK: The pool's calls

    func busyLocks() -> Int { shim.counts.busy }

    func begin(_ disturbance: FileDisturbance) -> Int { shim.begin(SQLiteDisturbance(disturbance)) }

    func end(_ disturbance: Int) { shim.end(disturbance) }

    func effect(of disturbance: Int) -> (matches: Int, hits: Int) {
        let effect = shim.effect(of: disturbance)
        return (effect.matches, effect.hits)
    }

    func tryWriteAsPool() async -> String { await asPool.tryWrite() }

    func explanation(of code: String, besides own: [Int]) -> String? {
        if shim.active.contains(where: { !own.contains($0.key) && $0.value.explains(code) }) {
            return "another fault disturbs the pool's calls"
        }
        if code.hasPrefix("SQLITE_BUSY"), lockers.withLock({ $0.contains(where: \.isRunning) }) {
            return "another fault holds the write lock"
        }
        if code.hasPrefix("SQLITE_READONLY"), shim.leadsElsewhere(resolved) {
            return "another fault has put a copy in the file's place"
        }
        return nil
    }

    // MARK: Another file in its place

    /// As SQLite knows the file, which may itself be a symbolic link.
    private var resolved: String { SmallFile.realPath(path) ?? path }

    func replace() async throws -> Replacement {
        let other = scratch.newPath("\(path.split(separator: "/").last ?? "copy")-copy")
        _ = try await withConnection { connection throws(DriverError) in
            try await connection.backup(to: other, deadline: .now.advanced(by: Self.limit))
        }
        try SQLiteHeader.makeReadOnly(other)
        copy.withLock { $0 = other }
        shim.lead(resolved, to: other)
        return try replacement(leadsTo: other, left: resolved)
    }

    func openOnReplacement() -> Int {
        guard let other = copy.withLock({ $0 }) else { return 0 }
        return Self.descriptors(on: other)
    }

    func restore() async throws -> Replacement {
        shim.lead(resolved, to: nil)
        return try replacement(leadsTo: resolved, left: copy.withLock { $0 } ?? path)
    }

    private func replacement(leadsTo now: String, left: String) throws -> Replacement {
        guard let original = SmallFile.inode(resolved), let inode = SmallFile.inode(now) else {
            throw SystemError("look at \(now)")
        }
        return Replacement(originalInode: original, inode: inode, stale: Self.descriptors(on: left))
    }

    private static func descriptors(on path: String) -> Int { (OpenDescriptors.links() ?? []).count { $0 == path } }
}

extension SQLiteDisturbance {
    fileprivate init(_ wanted: FileDisturbance) {
        let call: SQLiteCall =
            switch wanted.call {
            case .open: .open
            case .read: .read
            case .write: .write
            case .sync: .sync
            }
        switch wanted.effect {
        case .ioError: self.init(.fail(.ioError), on: [call])
        case .diskFull: self.init(.fail(.diskFull), on: [.write])
        // Who wants to write asks for the lock first, and is told there.
        case .readOnly: self.init(.fail(.readOnly), on: [.writeLock])
        case .delay(let length): self.init(.delay(length), on: [call])
        case .spoil: self.init(.spoil, on: [.read])
        }
        first = wanted.first
        share = wanted.share
        times = wanted.times
        seed = wanted.seed
    }
}
