import Glibc

/// A file that one process at a time holds (`flock`), for as long as this object lives. However the process ends, the kernel lets go
/// of it; processes that it starts do not hold it.
package final class ProcessLock: Sendable {
    /// Why it cannot be had.
    package enum Refusal: Error, Equatable {
        /// By another process; its number, as far as it told it.
        case held(by: Int32?)
        case failed(SystemError)
    }

    private let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit {
        // A child that another thread starts at this moment has the descriptor up to its exec: closing ours alone would not let go.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Returns at once. Makes the file where there is none; it stays.
    package static func take(_ path: String) throws(Refusal) -> ProcessLock {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw .failed(SystemError("open \(path)")) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let error = SystemError("lock \(path)")
            close(descriptor)
            throw error.code == EWOULDBLOCK ? .held(by: pid(in: path)) : .failed(error)
        }
        // For people and for whoever is refused: the lock holds without it.
        _ = ftruncate(descriptor, 0)
        try? SmallFile.writeAll(Array("\(getpid())\n".utf8), to: descriptor, path: path)
        return ProcessLock(descriptor)
    }

    /// Whether another process holds it now; takes it for the moment of the look.
    package static func isHeld(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// The number that the last holder wrote.
    package static func pid(in path: String) -> Int32? {
        SmallFile.text(path).flatMap { text in text.split(separator: "\n").first.flatMap { Int32($0) } }
    }
}
