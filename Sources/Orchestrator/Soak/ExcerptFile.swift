import Glibc
import HostSystem
import RigModel

/// Events on their way into a new file. Remembers the first thing that went wrong. Blocks; for one thread.
final class ExcerptFile {
    private static let chunk = 1 << 20

    private let path: String
    private let descriptor: Int32
    private var bytes: [UInt8] = []
    private var error: SystemError?

    init(_ path: String) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        if descriptor < 0 { error = SystemError("create \(path)") }
    }

    func add(_ event: Event) {
        guard error == nil else { return }
        event.write(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        if bytes.count >= Self.chunk { flush() }
    }

    /// - Returns: why the file is not whole; `nil`: it is.
    func finish() -> SystemError? {
        guard descriptor >= 0 else { return error }
        if error == nil { flush() }
        // Some file systems tell only now that there was no room.
        if close(descriptor) != 0, error == nil { error = SystemError("close \(path)") }
        return error
    }

    private func flush() {
        do { try SmallFile.writeAll(bytes, to: descriptor, path: path) } catch { self.error = error }
        bytes.removeAll(keepingCapacity: true)
    }
}
