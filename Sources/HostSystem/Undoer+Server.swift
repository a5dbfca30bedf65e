import CLinux
import Glibc
import Threading

extension Undoer {
    /// Stops the server of a data directory: SIGQUIT to the postmaster (immediate shutdown), SIGKILL to whatever is left
    /// after the grace, and then its System V segment, which a killed server leaves behind.
    func stopServer(_ dataDirectory: String) throws(UndoFailure) {
        let pid = PostmasterFile.read(in: dataDirectory)?.pid
        let processes = PostgresProcesses.running(on: dataDirectory)
        if let postmaster = processes.first(where: { $0.pid == pid }) {
            postmaster.signal(SIGQUIT)
            // A stopped process hears nothing but SIGKILL before it is continued.
            for process in processes { process.signal(SIGCONT) }
            _ = Waiting.untilTrue(before: .now.advanced(by: limits.serverGrace)) {
                PostgresProcesses.running(on: dataDirectory).isEmpty
            }
        }
        var problem = ""
        let gone = Waiting.untilTrue(before: .now.advanced(by: limits.killed)) {
            let left = PostgresProcesses.running(on: dataDirectory)
            for process in left { process.signal(SIGKILL) }
            guard left.isEmpty else {
                let list = left.map { "\($0.pid)" }.joined(separator: ", ")
                problem = "processes of the server on \(dataDirectory) do not end: \(list)"
                return false
            }
            // A server that stopped in order has removed first its segment and then this file. One that initdb began just
            // before its own end comes up once more: its segment is in use until that one is gone, too.
            guard let segment = PostmasterFile.read(in: dataDirectory)?.sharedMemoryID else { return true }
            do throws(UndoFailure) { try removeSegment(segment, of: dataDirectory) } catch {
                problem = "\(error)"
                return false
            }
            return true
        }
        if !gone { throw UndoFailure(problem) }
    }

    /// Only a segment that belongs to the owner of the data directory, and that nobody is attached to.
    private func removeSegment(_ segment: Int32, of dataDirectory: String) throws(UndoFailure) {
        var info = stat()
        guard stat(dataDirectory, &info) == 0 else { return }
        if clinux_remove_unused_shared_memory(segment, info.st_uid) < 0 {
            let reason = errorText(errno)
            throw UndoFailure("cannot remove shared memory \(segment) of the server on \(dataDirectory): \(reason)")
        }
    }
}
