/// Bytes in order, taken from the front. Pure. An empty one keeps little memory.
struct ByteQueue {
    private var bytes: [UInt8] = []
    /// Those before it are gone.
    private var head = 0

    var count: Int { bytes.count - head }
    var isEmpty: Bool { head == bytes.count }

    mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    func withFront<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[head...])) }
    }

    /// Amortised O(1) a byte.
    mutating func consume(_ count: Int) {
        head += count
        if head == bytes.count {
            // A connection that once had a backlog shall not keep its memory for ever.
            bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 14)
            head = 0
        } else if head >= 1 << 16, head * 2 >= bytes.count {
            bytes.removeFirst(head)
            head = 0
        }
    }

    mutating func removeAll() { self = ByteQueue() }
}
