import Threading

/// The acquires that wait, in order of arrival. FIFO with removal from anywhere in O(1), and the earliest deadline in
/// O(log n). Pure.
struct WaiterQueue: Sendable {
    /// One acquire that waits.
    struct Waiter: Sendable {
        var serial = -1
        var enqueuedAt = MonotonicInstant(nanoseconds: 0)
        var site: BorrowSite?
    }

    private struct Node: Sendable {
        var waiter = Waiter()
        var previous = -1
        var next = -1
    }

    private struct Due: Sendable {
        let deadline: MonotonicInstant
        let index: Int
        let serial: Int
    }

    private var nodes: [Node] = []
    private var free: [Int] = []
    private var head = -1
    private var tail = -1
    private var indexOfSerial: [Int: Int] = [:]
    private var nextSerial = 0
    /// A binary heap by deadline; entries of waiters that left stay until they reach the top.
    private var heap: [Due] = []

    private(set) var count = 0
    var isEmpty: Bool { count == 0 }

    /// Puts a waiter at the end, or at the front when it comes back from a connection that proved dead.
    ///
    /// - Returns: its serial number.
    mutating func enqueue(
        now: MonotonicInstant, deadline: MonotonicInstant, site: BorrowSite?, atFront: Bool
    ) -> Int {
        let index = free.popLast() ?? nodes.count
        if index == nodes.count { nodes.append(Node()) }
        let serial = nextSerial
        nextSerial += 1
        nodes[index] = Node(
            waiter: Waiter(serial: serial, enqueuedAt: now, site: site), previous: atFront ? -1 : tail,
            next: atFront ? head : -1)
        if atFront {
            if head >= 0 { nodes[head].previous = index } else { tail = index }
            head = index
        } else {
            if tail >= 0 { nodes[tail].next = index } else { head = index }
            tail = index
        }
        indexOfSerial[serial] = index
        count += 1
        push(Due(deadline: deadline, index: index, serial: serial))
        return serial
    }

    /// Takes the first waiter off the queue.
    mutating func popFirst() -> Waiter? {
        guard head >= 0 else { return nil }
        let waiter = nodes[head].waiter
        remove(index: head)
        return waiter
    }

    /// Takes a waiter out of the queue.
    ///
    /// - Returns: `false` when it is not in the queue any more.
    mutating func remove(serial: Int) -> Bool {
        guard let index = indexOfSerial[serial] else { return false }
        remove(index: index)
        return true
    }

    /// Takes out a waiter whose deadline has passed.
    mutating func popExpired(now: MonotonicInstant) -> Waiter? {
        dropStaleTop()
        guard let top = heap.first, top.deadline <= now else { return nil }
        popTop()
        let waiter = nodes[top.index].waiter
        remove(index: top.index)
        return waiter
    }

    var earliestDeadline: MonotonicInstant? {
        mutating get {
            dropStaleTop()
            return heap.first?.deadline
        }
    }

    private mutating func remove(index: Int) {
        let node = nodes[index]
        if node.previous >= 0 { nodes[node.previous].next = node.next } else { head = node.next }
        if node.next >= 0 { nodes[node.next].previous = node.previous } else { tail = node.previous }
        indexOfSerial[node.waiter.serial] = nil
        nodes[index] = Node()
        free.append(index)
        count -= 1
        if count == 0 { heap.removeAll(keepingCapacity: true) }
    }

    private mutating func dropStaleTop() {
        while let top = heap.first, nodes[top.index].waiter.serial != top.serial { popTop() }
    }

    private mutating func push(_ due: Due) {
        heap.append(due)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].deadline < heap[parent].deadline else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func popTop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].deadline < heap[smallest].deadline {
                smallest = child
            }
            guard smallest != parent else { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
