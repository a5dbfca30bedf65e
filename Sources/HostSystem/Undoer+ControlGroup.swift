import Glibc
import Threading

extension Undoer {
    /// Moves every process out of a control group, and removes it. A group with a process in it cannot be removed, and one
    /// that has just ended counts for a moment.
    func removeControlGroup(_ path: String, backTo other: String) throws(UndoFailure) {
        guard ControlGroup.isRigs(path) else { throw UndoFailure("refused: \(path) is no control group of the rig") }
        var reason: Int32 = 0
        let isGone = Waiting.untilTrue(before: .now.advanced(by: limits.killed)) {
            guard SmallFile.exists(path) else { return true }
            for pid in ControlGroupFile.processes(of: path) {
                // One that ends meanwhile needs no move.
                _ = ControlGroupFile.write("\(pid)", to: "\(other)/cgroup.procs")
            }
            if rmdir(path) != 0 { reason = errno }
            return !SmallFile.exists(path)
        }
        if !isGone { throw UndoFailure("cannot remove the control group \(path): \(errorText(reason))") }
    }
}

/// The files of a control group. Stateless.
package enum ControlGroupFile {
    /// Numbers of the processes in the group; none where it cannot be read.
    package static func processes(of group: String) -> [Int32] {
        (SmallFile.text("\(group)/cgroup.procs") ?? "").split(separator: "\n").compactMap { Int32($0) }
    }

    /// Writes one value.
    ///
    /// - Returns: 0, or an `errno`.
    package static func write(_ value: String, to path: String) -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        // The kernel takes a value in one piece or not at all.
        let bytes = Array(value.utf8)
        return Glibc.write(descriptor, bytes, bytes.count) == bytes.count ? 0 : errno
    }
}
