import Glibc

/// A temporary folder whose run has ended without removing it.
package struct DeadRun: Sendable, Equatable {
    package let folder: String
    /// The run's journal; `nil` where it is gone, or was never there.
    package let journal: String?

    package init(folder: String, journal: String?) {
        self.folder = folder
        self.journal = journal
    }

    /// How old an empty folder without `owner.json` must be before it counts as dead: a live run writes that file at
    /// once, and nothing before it. A folder that holds anything else is a person's, whatever its name.
    private static let ownerlessAgeSeconds = 60

    /// Looks for folders of the rig whose owner has ended. Those of other users and of live runs are passed over.
    package static func find(in folders: [String] = TemporaryFolders.all) -> [DeadRun] {
        folders.flatMap { folder in
            (SmallFile.names(in: folder) ?? []).sorted().compactMap { name in
                name.hasPrefix(TemporaryFolders.prefix) ? judge("\(folder)/\(name)") : nil
            }
        }
    }

    /// Undoes what the run left: its journal first, then what is still in the folder, then the folder. Idempotent.
    package func heal() async -> [Leftover] {
        await onOwnThread("heal") { healBlocking() }
    }

    /// ``heal()`` on the calling thread.
    package func healBlocking() -> [Leftover] {
        if let journal {
            do {
                let leftovers = try Journal.open(existing: journal).undoAllBlocking()
                if !leftovers.isEmpty { return leftovers }
            } catch {
                // Gone since it was found: somebody else, a watchdog for example, is healing the same run.
                guard !SmallFile.exists(journal) else { return [unreadable(journal, error)] }
            }
        }
        let undos = PostgresProcesses.dataDirectories(below: folder).map { Undo.stopServer(dataDirectory: $0) }
        return (undos + [.removeFolder(path: folder)]).compactMap { undo in
            do {
                try Undoer().perform(undo)
                return nil
            } catch {
                return Leftover(undo: undo, problem: "\(error)", remedy: undo.remedy)
            }
        }
    }

    private func unreadable(_ journal: String, _ error: any Error) -> Leftover {
        Leftover(undo: nil, problem: "\(error)", remedy: "undo by hand what \(journal) says, then remove \(folder)")
    }

    private static func judge(_ folder: String) -> DeadRun? {
        var info = stat()
        guard lstat(folder, &info) == 0, isTrusted(info, type: S_IFDIR) else { return nil }
        guard let owner = RunOwner.read(in: folder) else {
            let isOld = time(nil) - info.st_mtim.tv_sec > ownerlessAgeSeconds
            let isUnfinished = SmallFile.names(in: folder).map { Set($0).isSubset(of: [RunOwner.fileName]) } ?? false
            return isOld && isUnfinished ? DeadRun(folder: folder, journal: nil) : nil
        }
        guard owner.isDead else { return nil }
        let journal = owner.journal.flatMap { path in
            lstat(path, &info) == 0 && isTrusted(info, type: S_IFREG) ? path : nil
        }
        return DeadRun(folder: folder, journal: journal)
    }

    /// Temporary folders are open to everybody and a journal names programs to run: only what this user made, and
    /// nobody else can write, is followed.
    private static func isTrusted(_ info: stat, type: mode_t) -> Bool {
        info.st_mode & S_IFMT == type && info.st_uid == geteuid() && info.st_mode & (S_IWGRP | S_IWOTH) == 0
    }
}
