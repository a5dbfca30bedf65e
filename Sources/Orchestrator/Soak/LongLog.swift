import Glibc
import HostSystem

/// Keeps the logs in a soak's folder from growing for ever: of a long one the begin and the end stay. Blocks.
///
/// For the moments in which nobody looks into them by position: between windows. Whoever writes them does so with O_APPEND, so it
/// goes on at the new end; what is written in the moment of the cut may be lost.
enum LongLog {
    static let limit = 8 << 20
    private static let kept = 1 << 20
    private static let mark = "[chaosrig] a soak keeps begin and end of a long log; cut out here, bytes: "

    /// Every `*.log` right in the folder.
    static func shortenAll(in folder: String) {
        for name in (SmallFile.names(in: folder) ?? []).sorted() where name.hasSuffix(".log") {
            shorten("\(folder)/\(name)")
        }
    }

    /// One that cannot be read or written stays as it is: a log is no reason to end a soak.
    static func shorten(_ path: String, limit: Int = limit, kept: Int = kept) {
        let descriptor = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > limit else {
            return
        }
        let size = Int(status.st_size)
        let feed = UInt8(ascii: "\n")
        // Whole lines, where there are any.
        let head = bytes(descriptor, 0, kept)
        let headEnd = head.lastIndex(of: feed).map { $0 + 1 } ?? head.count
        let tail = bytes(descriptor, size - kept, .max)
        let tailStart = tail.firstIndex(of: feed).map { $0 + 1 } ?? 0
        let before = cut(bytes(descriptor, headEnd, 200))
        let out = size - headEnd - (tail.count - tailStart) + before
        guard ftruncate(descriptor, off_t(headEnd)) == 0 else { return }
        try? SmallFile.writeAll(Array("\(mark)\(out)\n".utf8) + tail[tailStart...], to: descriptor, path: path)
    }

    /// What was cut out here before, by the line that says so.
    private static func cut(_ line: [UInt8]) -> Int {
        let text = String(decoding: line.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return text.hasPrefix(mark) ? Int(text.dropFirst(mark.count)) ?? 0 : 0
    }

    private static func bytes(_ descriptor: Int32, _ start: Int, _ count: Int) -> [UInt8] {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while content.count < count {
            let got = pread(descriptor, &chunk, min(chunk.count, count - content.count), off_t(start + content.count))
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { break }
            content += chunk[..<got]
        }
        return content
    }
}
