import FaultInjection
import Glibc
import HostSystem

/// The log file of the private server, read from where it ended at a given time.
struct ServerLogFile: ServerLog {
    let path: String
    /// Whose messages are given.
    let application: String

    func position() async -> Int {
        let path = path
        return await onOwnThread("look at server log") {
            var info = stat()
            return stat(path, &info) == 0 ? Int(info.st_size) : 0
        }
    }

    func messages(since position: Int) async -> [ServerLogMessage] {
        let path = path
        let application = application
        return await onOwnThread("read server log") {
            let new = Self.bytes(path, from: position)
            // The last line may be half written.
            guard let end = new.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
            return String(decoding: new[..<end], as: UTF8.self).split(separator: "\n")
                .compactMap { ServerLogMessage(line: $0, application: application) }
        }
    }

    /// Empty when the file cannot be read.
    private static func bytes(_ path: String, from position: Int) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let got = pread(descriptor, &chunk, chunk.count, position + content.count)
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { return content }
            content.append(contentsOf: chunk[..<got])
        }
    }
}
