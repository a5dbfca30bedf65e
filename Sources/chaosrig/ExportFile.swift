import Glibc
import HostSystem

/// Where an export goes. A regular file is there whole or not at all; what else has a name (a device, a pipe, a link) is written
/// to, and never replaced. For one thread.
final class ExportFile {
    private static let chunk = 1 << 20

    private let path: String?
    /// What becomes the file in the end.
    private var temporary: String?
    private let descriptor: Int32
    private var bytes: [UInt8] = []
    /// The first one counts; told at the end.
    private var failure: SystemError?

    /// - Parameter path: `nil`: standard output.
    init(_ path: String?) throws(SystemError) {
        self.path = path
        guard let path else {
            descriptor = STDOUT_FILENO
            return
        }
        var status = stat()
        let isReplaced = lstat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
        let name = isReplaced ? "\(path).\(getpid())" : path
        if isReplaced { temporary = name }
        descriptor = open(name, O_WRONLY | O_TRUNC | O_CLOEXEC | (isReplaced ? O_CREAT : 0), 0o644)
        guard descriptor >= 0 else {
            temporary = nil
            throw SystemError("open \(name)")
        }
    }

    deinit {
        if path != nil { close(descriptor) }
        if let temporary { unlink(temporary) }
    }

    func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
        if bytes.count > Self.chunk { flush() }
    }

    private func flush() {
        defer { bytes.removeAll(keepingCapacity: true) }
        guard failure == nil else { return }
        do { try SmallFile.writeAll(bytes, to: descriptor, path: path ?? "standard output") } catch { failure = error }
    }

    /// - Throws: why not everything was written; then a regular file is as it was before.
    func finish() throws(SystemError) {
        flush()
        if let failure { throw failure }
        guard let path, let made = temporary else { return }
        guard rename(made, path) == 0 else { throw SystemError("rename \(made) to \(path)") }
        temporary = nil
    }
}
