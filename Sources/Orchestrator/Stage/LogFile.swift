import Glibc
import HostSystem

/// A log that somebody else writes, read from where it ended at a given time.
enum LogFile {
    /// In bytes; 0 when there is none.
    static func size(_ path: String) async -> Int {
        await onOwnThread("look at log") {
            var info = stat()
            return stat(path, &info) == 0 ? Int(info.st_size) : 0
        }
    }

    /// Whole lines from this byte on, and the byte behind them. None when the file cannot be read.
    static func lines(of path: String, since position: Int) async -> (lines: [String], end: Int) {
        await onOwnThread("read log") {
            let new = bytes(path, from: position)
            // The last line may be half written.
            guard let end = new.lastIndex(of: UInt8(ascii: "\n")) else { return ([], position) }
            let lines = String(decoding: new[..<end], as: UTF8.self).split(separator: "\n").map(String.init)
            return (lines, position + end + 1)
        }
    }

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
