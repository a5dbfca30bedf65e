import CLinux
import Glibc

/// The reading side of one output stream of a child, with a limit. Closes both ends when it goes away.
struct OutputPipe: ~Copyable {
    /// For the child; closed in this process once the child has it.
    private(set) var writeEnd: Int32
    private var readEnd: Int32
    private var content: [UInt8] = []
    private let limitBytes: Int

    init(limitBytes: Int) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe(&ends) == 0 else { throw SystemError("make a pipe") }
        readEnd = ends[0]
        writeEnd = ends[1]
        self.limitBytes = limitBytes
        _ = fcntl(readEnd, F_SETFL, O_NONBLOCK)
    }

    deinit {
        if writeEnd >= 0 { close(writeEnd) }
        if readEnd >= 0 { close(readEnd) }
    }

    var isOverLimit: Bool { content.count > limitBytes }
    var text: String { String(decoding: content, as: UTF8.self) }
    /// `nil` after the end of the stream: polling it further would return at once for ever.
    var openReadEnd: Int32? { readEnd >= 0 ? readEnd : nil }

    mutating func closeWriteEnd() {
        close(writeEnd)
        writeEnd = -1
    }

    /// Takes what is there now, at most one chunk beyond the limit.
    mutating func drain() {
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while readEnd >= 0 && !isOverLimit {
            let got = read(readEnd, &chunk, chunk.count)
            if got > 0 {
                content.append(contentsOf: chunk[..<got])
            } else if got < 0 && errno == EINTR {
                continue
            } else if got < 0 && errno == EAGAIN {
                return
            } else {
                close(readEnd)
                readEnd = -1
            }
        }
    }
}
