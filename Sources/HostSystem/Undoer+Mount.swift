import Glibc

extension Undoer {
    /// Takes a mounted file system out of the tree. What still has a file open on it keeps that until it ends.
    func unmount(_ path: String) throws(UndoFailure) {
        guard Self.isMounted(path) else { return }
        if let refusal = TemporaryFolders.refusal(toRemove: path) { throw UndoFailure("refused: \(refusal)") }
        // Mounts lie on top of each other where a mount was repeated.
        for _ in 1...10 {
            guard umount2(path, Int32(MNT_DETACH)) == 0 || errno == EINVAL || errno == ENOENT else {
                throw UndoFailure("cannot unmount \(path): \(errorText(errno))")
            }
            if !Self.isMounted(path) { return }
        }
        throw UndoFailure("\(path) is still mounted")
    }

    /// Whether something is mounted exactly there, as this process sees it.
    package static func isMounted(_ path: String) -> Bool {
        mountPoints(SmallFile.text("/proc/self/mountinfo") ?? "").contains(path)
    }

    /// The mount points of `/proc/self/mountinfo` (proc(5)): the fifth word of each line, in which blanks are written as
    /// octal numbers. Pure.
    static func mountPoints(_ text: String) -> [String] {
        text.split(separator: "\n").compactMap { line -> String? in
            let words = line.split(separator: " ")
            guard words.count > 4 else { return nil }
            return String(words[4]).replacing("\\040", with: " ").replacing("\\011", with: "\t").replacing(
                "\\134", with: "\\")
        }
    }
}
