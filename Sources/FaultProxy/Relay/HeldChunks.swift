import Threading

/// The bytes that a relay holds back in one direction, in order. Pure.
struct HeldChunks {
    struct Chunk {
        let bytes: [UInt8]
        /// How many of `bytes` have gone on.
        var sent = 0
        let arrival: MonotonicInstant
        var due: MonotonicInstant
        /// The toxic that holds it; `nil` when it only waits for the receiver.
        var epoch: Int?
    }

    /// Chunks before `head` have gone on.
    private var chunks: [Chunk] = []
    private var head = 0
    /// Bytes that have not gone on.
    private(set) var byteCount = 0

    var isEmpty: Bool { head == chunks.count }

    var first: Chunk? { isEmpty ? nil : chunks[head] }

    /// Puts a chunk at the end. It never becomes due before the chunk in front of it.
    ///
    /// - Complexity: O(number of bytes).
    mutating func append(_ bytes: some Sequence<UInt8>, arrival: MonotonicInstant, due: MonotonicInstant, epoch: Int?) {
        let bytes = Array(bytes)
        byteCount += bytes.count
        let previous = isEmpty ? due : chunks[chunks.count - 1].due
        chunks.append(Chunk(bytes: bytes, arrival: arrival, due: max(due, previous), epoch: epoch))
    }

    /// The toxic lets go of the first chunk.
    ///
    /// - Returns: when it came and which toxic held it; `nil` when none did, or when this was asked before.
    mutating func letGoOfFirst() -> (arrival: MonotonicInstant, epoch: Int)? {
        guard !isEmpty, let epoch = chunks[head].epoch.take() else { return nil }
        return (chunks[head].arrival, epoch)
    }

    /// Notes that `count` more bytes of the first chunk have gone on.
    mutating func consume(_ count: Int) {
        precondition(!isEmpty, "internal inconsistency: consume(\(count)) without a chunk")
        chunks[head].sent += count
        byteCount -= count
        guard chunks[head].sent == chunks[head].bytes.count else { return }
        head += 1
        // Amortized O(1): moves at most as many chunks as have gone on since the last time.
        if head * 2 >= chunks.count {
            chunks.removeFirst(head)
            head = 0
        }
    }

    /// Makes everything due at once.
    mutating func releaseAll() {
        for index in head..<chunks.count { chunks[index].due = MonotonicInstant(nanoseconds: 0) }
    }

    /// Makes those due at once that wait for ever, as far as the chunks in front of them allow.
    mutating func releaseUnbounded() {
        for index in head..<chunks.count where chunks[index].due == .distantFuture {
            chunks[index].due = index > head ? chunks[index - 1].due : MonotonicInstant(nanoseconds: 0)
        }
    }

    mutating func removeAll() { self = HeldChunks() }
}
