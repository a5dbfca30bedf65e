import Foundation
import RigModel

/// Lines of a history that belong together, first as bytes, then as events.
struct Block: Sendable {
    let number: Int
    var bytes: [UInt8]
    /// Where its last line is the end of the history.
    let end: HistoryRules.End?
    var events: [Event] = []
    /// Why the line behind the last event is none.
    var problem: String?

    mutating func parse() {
        events.reserveCapacity(bytes.count / 128)
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
            do throws(EventCodingError) {
                events.append(try Event(line: bytes[start..<end]))
            } catch {
                problem = "\(error)"
                break
            }
            start = end + 1
        }
        bytes = []
    }
}

/// Blocks on their way from the reading thread over the parsing threads to the caller, who gets them in order. Bounded.
///
/// Thread-safe: everything that changes is touched with the condition locked only, which the compiler cannot see.
final class BlockQueue: @unchecked Sendable {
    private let condition = NSCondition()
    private let limit: Int
    private var unparsed: [Block] = []
    private var parsed: [Int: Block] = [:]
    /// Added and not yet taken by the caller.
    private var inside = 0
    private var nextOut = 0
    private var isReadingOver = false
    private var isStopped = false
    private var reason: String?

    init(limit: Int) { self.limit = limit }

    /// Waits for room.
    ///
    /// - Returns: `false` when nobody wants more.
    func add(_ block: Block) -> Bool {
        locked {
            while inside >= limit, !isStopped { condition.wait() }
            unparsed.append(block)
            inside += 1
            return !isStopped
        }
    }

    func finishReading(failure: String?) {
        locked {
            isReadingOver = true
            reason = failure
        }
    }

    /// For a parsing thread: until there is nothing more.
    func parseAll() {
        while var block = nextUnparsed() {
            block.parse()
            locked { parsed[block.number] = block }
        }
    }

    private func nextUnparsed() -> Block? {
        locked {
            while unparsed.isEmpty, !isReadingOver, !isStopped { condition.wait() }
            return unparsed.isEmpty || isStopped ? nil : unparsed.removeFirst()
        }
    }

    /// Waits for the next one in order; `nil` at the end.
    func nextParsed() -> Block? {
        locked {
            while parsed[nextOut] == nil, !isReadingOver || inside > 0 { condition.wait() }
            guard let block = parsed.removeValue(forKey: nextOut) else { return nil }
            nextOut += 1
            inside -= 1
            return block
        }
    }

    /// Why not all of the file was read.
    var failure: String? { locked { reason } }

    func stop() { locked { isStopped = true } }

    /// Everybody looks again after each change: there are few threads, and a block is a lot of work.
    private func locked<T>(_ body: () -> T) -> T {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        return body()
    }
}
