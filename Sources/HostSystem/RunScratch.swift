import Threading

/// A temporary folder that could not be made.
package enum ScratchError: Error, CustomStringConvertible {
    /// The path would be too long for a socket in it. Set TMPDIR to something shorter.
    case pathTooLong(path: String, limitBytes: Int)
    case notMade(SystemError)
    case journal(any Error)

    package var description: String {
        switch self {
        case .pathTooLong(let path, let limitBytes):
            "\(path) is too long: a socket in it would pass the kernel's limit, which leaves \(limitBytes) bytes for "
                + "the folder; use a shorter run id or TMPDIR"
        case .notMade(let error): "cannot make the run's temporary folder: \(error)"
        case .journal(let error): "\(error)"
        }
    }
}

/// The temporary folder of one run: `$TMPDIR/chaosrig-<run id>`, announced in the journal before it is made. Its
/// `owner.json` says whose it is. Other users may pass through it (0711), so that a server run by another user can reach
/// its own folder inside.
package final class RunScratch: Sendable {
    /// `sockaddr_un.sun_path` without its final zero.
    static let socketPathBytes = 107
    /// What is kept for the longest socket path inside.
    static let reservedBytes = "/pg99/s/.s.PGSQL.65535".utf8.count

    package let path: String
    private let journal: any UndoJournal
    private let entry: Int
    private let names = Lock(0)

    /// - Parameters:
    ///   - runID: letters, digits, `-`, `_` and `.`; unique on this machine, see ``newRunID()``.
    ///   - journal: where the folder is announced; its path goes into `owner.json`.
    ///   - folders: where to try, in this order; the first that is short enough for sockets is taken.
    package init(runID: String, journal: Journal, in folders: [String] = [TemporaryFolders.preferred, "/tmp"])
        throws(ScratchError)
    {
        precondition(
            !runID.isEmpty && runID.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") },
            "the run id \(runID) cannot be part of a file name")
        let limit = Self.socketPathBytes - Self.reservedBytes
        let paths = folders.map { "\(SmallFile.realPath($0) ?? $0)/\(TemporaryFolders.prefix)\(runID)" }
        guard let path = paths.first(where: { $0.utf8.count <= limit }) else {
            throw .pathTooLong(path: paths.last ?? runID, limitBytes: limit)
        }
        do { entry = try journal.willChange(.removeFolder(path: path)) } catch { throw .journal(error) }
        do throws(SystemError) {
            do { try SmallFile.makeFolder(path, mode: 0o711) } catch {
                // It exists and is another run's, or nothing was made: the undo must not touch it.
                try? journal.didUndo(entry)
                throw error
            }
            try RunOwner(journal: journal.path).write(in: path)
        } catch {
            throw .notMade(error)
        }
        self.path = path
        self.journal = journal
    }

    /// A path in the folder that this object has not given out before: `pg1`, `pg2`, … Makes nothing.
    package func newPath(_ prefix: String) -> String {
        let number = names.withLock { count in
            count += 1
            return count
        }
        return "\(path)/\(prefix)\(number)"
    }

    /// Kills what still uses the folder, removes it, and ends its entry in the journal. Idempotent.
    package func remove() async throws {
        let path = path
        try await onOwnThread(
            "remove scratch",
            throwing: { () throws(UndoFailure) in
                try Undoer().perform(.removeFolder(path: path))
            })
        try journal.didUndo(entry)
    }

    /// A short id that no other run on this machine has.
    package static func newRunID() -> String {
        let current = ProcessIdentity.current
        var random = SystemRandomNumberGenerator()
        let salt = String(UInt32.random(in: .min ... .max, using: &random), radix: 36)
        return "\(current.pid)-\(String(current.startTicks, radix: 36))-\(salt)"
    }
}
