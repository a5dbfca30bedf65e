public import Threading

/// Which items go into which batch, and when. Pure: time is passed in.
///
/// A batch is ready when it is full, or its oldest item has waited long enough. Inside a batch items are sorted by their
/// keys, so that all batches take the locks of the rows in the same order; items with the same key keep their order, also
/// over batches: while a key is in flight its next items wait.
public struct BatchQueue<Key: Comparable & Hashable & Sendable, Item: Sendable>: Sendable {
    public struct Entry: Sendable {
        public let number: Int
        public let key: Key
        public let item: Item
        let due: MonotonicInstant
    }

    public enum Refusal: Sendable, Equatable {
        case full(limit: Int)
        case closed
    }

    private let configuration: BatcherConfiguration
    /// In the order of arrival.
    private var queued: [Entry] = []
    private var keysInFlight: [Key: Int] = [:]
    private var batchesInFlight = 0
    private var nextNumber = 0
    private var mustFlush = false
    public private(set) var isClosed = false

    public init(_ configuration: BatcherConfiguration) { self.configuration = configuration }

    public var count: Int { queued.count }

    /// Nothing waits, nothing runs.
    public var isEmpty: Bool { queued.isEmpty && batchesInFlight == 0 }

    /// An item arrives.
    ///
    /// - Returns: its number, for ``withdraw(_:)``.
    public mutating func add(_ item: Item, key: Key, now: MonotonicInstant) -> Result<Int, Refused> {
        if isClosed { return .failure(Refused(.closed)) }
        if queued.count >= configuration.maxQueued { return .failure(Refused(.full(limit: configuration.maxQueued))) }
        let entry = Entry(number: nextNumber, key: key, item: item, due: now.advanced(by: configuration.maxDelay))
        nextNumber += 1
        queued.append(entry)
        return .success(entry.number)
    }

    /// A reason as an error.
    public struct Refused: Error, Equatable {
        public let reason: Refusal
        init(_ reason: Refusal) { self.reason = reason }
    }

    /// An item leaves before it is sent.
    ///
    /// - Returns: `false` when it is in a batch already.
    /// - Complexity: O(items that wait).
    public mutating func withdraw(_ number: Int) -> Bool {
        guard let place = queued.firstIndex(where: { $0.number == number }) else { return false }
        queued.remove(at: place)
        return true
    }

    /// What waits now goes without waiting longer.
    public mutating func flush() { mustFlush = !queued.isEmpty }

    /// No item is taken any more; what waits goes at once.
    public mutating func close() {
        isClosed = true
        flush()
    }

    /// The next batch, sorted, if there is one to be sent now. Call again until there is none.
    public mutating func takeBatch(now: MonotonicInstant) -> [Entry]? {
        guard let oldest = oldestToSend, batchesInFlight < configuration.maxInFlight,
            mustFlush || queued.count >= configuration.maxCount || oldest.due <= now
        else { return nil }
        var batch: [Entry] = []
        var left: [Entry] = []
        for entry in queued {
            if batch.count < configuration.maxCount, keysInFlight[entry.key] == nil {
                batch.append(entry)
            } else {
                left.append(entry)
            }
        }
        queued = left
        if left.isEmpty { mustFlush = false }
        for entry in batch { keysInFlight[entry.key, default: 0] += 1 }
        batchesInFlight += 1
        return batch.sorted { ($0.key, $0.number) < ($1.key, $1.number) }
    }

    /// A batch has ended.
    public mutating func end(_ batch: [Entry]) {
        batchesInFlight -= 1
        for entry in batch {
            guard let left = keysInFlight[entry.key] else { preconditionFailure("key \(entry.key) was not in flight") }
            keysInFlight[entry.key] = left > 1 ? left - 1 : nil
        }
    }

    /// When ``takeBatch(now:)`` may have something that it does not have now; `nil` when only an item or the end of a batch
    /// can change that.
    public var nextAlarm: MonotonicInstant? {
        batchesInFlight < configuration.maxInFlight ? oldestToSend?.due : nil
    }

    /// The oldest one whose key is not in flight. Nearly always the first.
    private var oldestToSend: Entry? { queued.first { keysInFlight[$0.key] == nil } }
}
