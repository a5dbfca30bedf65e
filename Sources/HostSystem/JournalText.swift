import Foundation

/// One line of a journal: a change that is about to be made with its undo, or the end of one.
enum JournalLine: Equatable {
    case will(entry: Int, undo: Undo)
    case undone(entry: Int)

    private struct Fields: Codable {
        var entry: Int?
        var undo: Undo?
        var undone: Int?
    }

    /// The line with its line feed.
    var bytes: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let fields =
            switch self {
            case .will(let entry, let undo): Fields(entry: entry, undo: undo)
            case .undone(let entry): Fields(undone: entry)
            }
        guard let data = try? encoder.encode(fields) else {
            preconditionFailure("a journal line holds only numbers and text, which always encode")
        }
        return Array(data) + [UInt8(ascii: "\n")]
    }

    /// - Returns: `nil` when it is not a line of a journal.
    init?(bytes: some Collection<UInt8>) {
        guard let fields = try? JSONDecoder().decode(Fields.self, from: Data(bytes)) else { return nil }
        if let entry = fields.entry, let undo = fields.undo {
            self = .will(entry: entry, undo: undo)
        } else if let entry = fields.undone {
            self = .undone(entry: entry)
        } else {
            return nil
        }
    }

    init(will entry: Int, undo: Undo) { self = .will(entry: entry, undo: undo) }
}

/// What the bytes of a journal say. Pure.
struct JournalText: Equatable {
    /// Changes that were announced and not undone, by entry.
    private(set) var open: [Int: Undo] = [:]
    /// The number of the next entry.
    private(set) var next = 0
    /// Complete lines that make no sense, counted from 1. A journal is only appended to, so there should be none.
    private(set) var damagedLines: [Int] = []
    /// Length up to the last line feed. What follows was cut off in the writing (power cut): its change was never
    /// made, because a change waits until its line is on disk.
    let completeBytes: Int

    init(_ content: [UInt8]) {
        completeBytes = content.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let lines = content[..<completeBytes].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (position, line) in lines.dropLast().enumerated() {
            switch JournalLine(bytes: line) {
            case .will(let entry, let undo):
                open[entry] = undo
                next = max(next, entry + 1)
            case .undone(let entry): open[entry] = nil
            case nil: damagedLines.append(position + 1)
            }
        }
    }
}
