import Threading

/// What a stage holds: chunks in order, each with the time at which it may go on, and the end of the stream behind them.
struct HeldStream: Sendable {
    private struct Entry: Sendable {
        var chunk: Chunk
        var due: MonotonicInstant
    }

    /// Entries before `head` have gone on.
    private var entries: [Entry] = []
    private var head = 0
    /// Bytes of the first chunk that have gone on.
    private var offset = 0
    private(set) var byteCount = 0
    /// The stream has ended behind the chunks.
    var hasEnd = false

    var isEmpty: Bool { head == entries.count }

    /// When the first chunk may go on; `nil` without a chunk.
    var firstDue: MonotonicInstant? { isEmpty ? nil : entries[head].due }
    var firstArrival: MonotonicInstant? { isEmpty ? nil : entries[head].chunk.arrival }
    /// Bytes of the first chunk that have not gone on; 0 without a chunk.
    var firstCount: Int { isEmpty ? 0 : entries[head].chunk.bytes.count - offset }

    /// Puts a chunk at the end. It waits for those in front of it, even when it is due before them.
    mutating func append(_ chunk: Chunk, due: MonotonicInstant) {
        guard !chunk.bytes.isEmpty else { return }
        byteCount += chunk.bytes.count
        entries.append(Entry(chunk: chunk, due: due))
    }

    /// Takes up to `count` bytes of the first chunk; there must be one.
    ///
    /// - Complexity: O(`count`) for a part of a chunk, O(1) for a whole one (amortized).
    mutating func take(_ count: Int) -> Chunk {
        precondition(!isEmpty && count > 0, "internal inconsistency: take(\(count)) of nothing")
        let size = min(count, firstCount)
        byteCount -= size
        var piece = entries[head].chunk
        if size < piece.bytes.count { piece.bytes = Array(piece.bytes[offset..<offset + size]) }
        offset += size
        if offset == entries[head].chunk.bytes.count { dropFirst() }
        return piece
    }

    private mutating func dropFirst() {
        offset = 0
        entries[head].chunk.bytes = []
        head += 1
        // Moves at most as many entries as have gone on since the last time.
        if head * 2 >= entries.count {
            entries.removeFirst(head)
            head = 0
        }
    }

    /// Sets the times anew: `due` gets the arrival of each chunk. The order stays.
    mutating func reschedule(_ due: (MonotonicInstant) -> MonotonicInstant) {
        for index in head..<entries.count { entries[index].due = due(entries[index].chunk.arrival) }
    }

    /// Passes what is due, and the end when nothing is left in front of it.
    mutating func passDue(_ now: MonotonicInstant, into effects: inout [StageEffect]) {
        while let due = firstDue, due <= now { effects.append(.pass(take(firstCount))) }
        passEnd(into: &effects)
    }

    /// Passes everything, the end included.
    mutating func passAll(into effects: inout [StageEffect]) {
        while !isEmpty { effects.append(.pass(take(firstCount))) }
        passEnd(into: &effects)
    }

    mutating func passEnd(into effects: inout [StageEffect]) {
        guard hasEnd, isEmpty else { return }
        hasEnd = false
        effects.append(.end)
    }

    /// Forgets everything.
    mutating func swallow(into effects: inout [StageEffect]) {
        if byteCount > 0 { effects.append(.swallow(byteCount)) }
        self = HeldStream()
    }
}
