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
        var left: [ProcessIdentity] = []
        let gone = Waiting.untilTrue(before: .now.advanced(by: limits.killed)) {
            left = PostgresProcesses.running(on: dataDirectory)
            for process in left { process.signal(SIGKILL) }
            return left.isEmpty
        }
        guard gone else {
            let list = left.map { "\($0.pid)" }.joined(separator: ", ")
            throw UndoFailure("processes of the server on \(dataDirectory) do not end: \(list)")
        }
        // A server that stopped in order has removed first its segment and then this file.
        if let segment = PostmasterFile.read(in: dataDirectory)?.sharedMemoryID {
            try removeSegment(segment, of: dataDirectory)
        }
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
