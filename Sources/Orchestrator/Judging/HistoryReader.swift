import Foundation
import HostSystem
package import RigModel
import Threading

/// Reads `history.jsonl` once, in order, in memory that does not grow with its length: one thread reads and digests blocks of
/// lines, several parse them, and the caller gets the events in their order.
package struct HistoryReader: Sendable {
    /// Large enough that handing one over costs nothing beside its parsing.
    private static let blockBytes = 1 << 20
    /// A line beyond it is none of a history.
    private static let lineLimit = 16 << 20

    private let path: String
    private let threads: Int

    /// - Parameter threads: that parse; at least 1.
    package init(path: String, threads: Int = min(8, max(1, ProcessInfo.processInfo.activeProcessorCount - 1))) {
        self.path = path
        self.threads = max(1, threads)
    }

    /// Reads it on the calling thread, which it blocks.
    ///
    /// - Parameter body: gets each event, also the last one, of type `end`.
    /// - Throws: ``HistoryError`` with the line; `body` may have seen what was before it.
    package func read(_ body: (Event) -> Void) throws(HistoryError) {
        // A pipe that nobody writes to would not even open.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw error(nil, "cannot open it: \(errorText(errno))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw error(nil, "a regular file was expected, not a folder, a device or a pipe")
        }
        let queue = BlockQueue(limit: threads * 3)
        let workers =
            [ServiceThread(name: "history read") { fill(queue, from: descriptor) }]
            + (0..<threads).map { number in ServiceThread(name: "history parse \(number)") { queue.parseAll() } }
        defer {
            queue.stop()
            for worker in workers { worker.join() }
        }
        var rules = HistoryRules()
        var line = 1
        while let block = queue.nextParsed() {
            for event in block.events {
                if let problem = rules.problem(with: event, end: { block.end }) {
                    throw error(line, problem)
                }
                body(event)
                line += 1
            }
            if let problem = block.problem { throw error(line, problem) }
        }
        if let failure = queue.failure { throw error(line, failure) }
        guard rules.hasEnded else {
            throw error(
                line, "the history stops here, without its end: it was cut off, or the run was killed; run it again")
        }
    }

    private func error(_ line: Int?, _ problem: String) -> HistoryError {
        HistoryError(path: path, line: line, problem: problem)
    }

    // MARK: The reading thread

    private func fill(_ queue: BlockQueue, from descriptor: Int32) {
        var digest = SHA256Digest()
        // Of a line whose end was not read yet.
        var bytes: [UInt8] = []
        var number = 0
        while true {
            let start = bytes.count
            var got = 0
            var code: Int32 = 0
            // Not zeros first: in a build that is not optimised they take longer than the reading.
            bytes += [UInt8](unsafeUninitializedCapacity: Self.blockBytes) { buffer, count in
                repeat {
                    got = Glibc.read(descriptor, buffer.baseAddress, Self.blockBytes)
                    code = errno
                } while got < 0 && code == EINTR
                count = max(0, got)
            }
            guard got >= 0 else { return queue.finishReading(failure: "cannot read it: \(errorText(code))") }
            guard got > 0 else {
                // What has no line feed behind it was cut off.
                return queue.finishReading(failure: bytes.isEmpty ? nil : "the last line is not whole")
            }
            guard let feed = bytes[start...].lastIndex(of: UInt8(ascii: "\n")) else {
                if bytes.count > Self.lineLimit {
                    return queue.finishReading(failure: "a line of over \(Self.lineLimit) bytes; no event is so long")
                }
                continue
            }
            let rest = Array(bytes[(feed + 1)...])
            bytes.removeLast(bytes.count - feed - 1)
            // The end is the last line of its block, when nothing stands behind it, as nothing should.
            let lastLine = bytes.dropLast().lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            digest.update(Array(bytes[..<lastLine]))
            let isEnd = bytes[lastLine...].starts(with: #"{"i":"#.utf8) && Self.isEnd(bytes[lastLine...])
            let end = isEnd ? HistoryRules.End(digest: digest.soFar(), line: Array(bytes[lastLine...].dropLast())) : nil
            digest.update(Array(bytes[lastLine...]))
            guard queue.add(Block(number: number, bytes: bytes, end: end)) else { return }
            number += 1
            bytes = rest
        }
    }

    private static func isEnd(_ line: ArraySlice<UInt8>) -> Bool {
        // Its type is among its first members; what only looks like it costs a digest, no more.
        let mark = Array(#""type":"end""#.utf8)
        let head = line.prefix(200)
        guard head.count >= mark.count else { return false }
        return head.indices.dropLast(mark.count - 1).contains { head[$0...].starts(with: mark) }
    }
}
