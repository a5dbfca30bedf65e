import Foundation
import Glibc
import Threading

extension Undoer {
    /// Kills what runs with this folder in its command line, then removes the folder.
    func removeFolder(_ path: String) throws(UndoFailure) {
        if let refusal = TemporaryFolders.refusal(toRemove: path) { throw UndoFailure("refused: \(refusal)") }
        try killUsers(of: path)
        guard SmallFile.exists(path) else { return }
        // More than once: a process that was just killed may have had a file half made, and a tree that changes while
        // it is removed makes the removal fail.
        var problem = ""
        let gone = Waiting.untilTrue(before: .now.advanced(by: limits.killed), every: .milliseconds(50)) {
            do { try FileManager.default.removeItem(atPath: path) } catch { problem = "\(error)" }
            return !SmallFile.exists(path)
        }
        if !gone { throw UndoFailure("cannot remove \(path): \(problem)") }
    }

    private func killUsers(of path: String) throws(UndoFailure) {
        // Not this process nor what it was started by (a shell whose command line names the folder), and no watchdog:
        // its command line names the journal, which may lie in the folder, and it ends by itself.
        let spared = ProcessTable.lineage(of: getpid())
        func users() -> [ProcessIdentity] {
            ProcessTable.pids().compactMap { pid in
                guard !spared.contains(pid), let identity = ProcessTable.identity(of: pid), identity.isAlive,
                    let commandLine = ProcessTable.commandLine(of: pid),
                    commandLine.dropFirst().first != Watchdog.command,
                    commandLine.contains(where: { Self.names(path, in: $0) })
                else { return nil }
                return identity
            }
        }
        var left: [ProcessIdentity] = []
        var refusal: Int32 = 0
        let gone = Waiting.untilTrue(before: .now.advanced(by: limits.killed)) {
            left = users()
            for process in left {
                let code = process.signal(SIGKILL)
                if code == EPERM { refusal = code }
            }
            return left.isEmpty
        }
        guard !gone else { return }
        let list = left.map { "\($0.pid)" }.joined(separator: ", ")
        throw UndoFailure(
            "processes that use \(path) do not end: \(list)" + (refusal == 0 ? "" : " (\(errorText(refusal)))"))
    }

    /// Whether an argument names this path or something below it, and not one that only begins alike
    /// (`/tmp/chaosrig-1` in `/tmp/chaosrig-12`).
    static func names(_ path: String, in argument: String) -> Bool {
        argument.ranges(of: path).contains { range in
            guard range.upperBound < argument.endIndex else { return true }
            let next = argument[range.upperBound]
            return !(next.isLetter || next.isNumber || "-_.".contains(next))
        }
    }
}
