public import Threading

/// The acquires that wait, in order of arrival: FIFO with removal from anywhere in O(1), and the earliest deadline in
/// O(log n) amortised. Pure.
public struct WaiterQueue: Sendable {
    /// One acquire that waits.
    public struct Waiter: Sendable, Equatable {
        public var turn = Turn(ticket: -1, arrivedAt: MonotonicInstant(nanoseconds: 0))
        public var site: BorrowSite?
    }

    private struct Node: Sendable {
        var waiter = Waiter()
        var previous = -1
        var next = -1
        /// Neighbours among the waiters of the same loop.
        var previousNear = -1
        var nextNear = -1
        var affinity: Int32 = -1
    }

    private struct Ends {
        var head = -1
        var tail = -1
    }

    private struct Due: Sendable {
        let deadline: MonotonicInstant
        let index: Int
        let ticket: Int
    }

    private var nodes: [Node] = []
    private var free: [Int] = []
    /// First and last waiter of each event loop, by the loop's number.
    private var near: [Ends] = []
    private var head = -1
    private var tail = -1
    private var indexOfTicket: [Int: Int] = [:]
    /// A binary heap by deadline; entries of waiters that left stay until they reach the top or outnumber the rest.
    private var heap: [Due] = []

    public private(set) var count = 0
    public var isEmpty: Bool { count == 0 }

    public init() {}

    /// Puts a waiter at its place by ticket: at the end, or further ahead when it comes back from a connection that proved
    /// dead. O(1) at the end, else O(waiters before it), which are such waiters too: at most one for each connection.
    public mutating func enqueue(_ turn: Turn, deadline: MonotonicInstant, site: BorrowSite?, affinity: Int32 = -1) {
        let next = successor(of: turn.ticket)
        let previous = next >= 0 ? nodes[next].previous : tail
        var node = Node(waiter: Waiter(turn: turn, site: site), previous: previous, next: next)
        node.affinity = next < 0 ? affinity : -1
        let index = free.popLast() ?? nodes.count
        if index == nodes.count { nodes.append(node) } else { nodes[index] = node }
        if previous >= 0 { nodes[previous].next = index } else { head = index }
        if next >= 0 { nodes[next].previous = index } else { tail = index }
        indexOfTicket[turn.ticket] = index
        count += 1
        linkNear(index)
        push(Due(deadline: deadline, index: index, ticket: turn.ticket))
    }

    /// Takes the first waiter off the queue.
    public mutating func popFirst() -> Waiter? {
        guard head >= 0 else { return nil }
        let waiter = nodes[head].waiter
        remove(index: head)
        return waiter
    }

    private mutating func linkNear(_ index: Int) {
        let affinity = Int(nodes[index].affinity)
        guard affinity >= 0 else { return }
        while near.count <= affinity { near.append(Ends()) }
        let tail = near[affinity].tail
        nodes[index].previousNear = tail
        if tail >= 0 { nodes[tail].nextNear = index } else { near[affinity].head = index }
        near[affinity].tail = index
    }

    private mutating func unlinkNear(_ node: Node) {
        let affinity = Int(node.affinity)
        guard affinity >= 0 else { return }
        if node.previousNear >= 0 {
            nodes[node.previousNear].nextNear = node.nextNear
        } else {
            near[affinity].head = node.nextNear
        }
        if node.nextNear >= 0 {
            nodes[node.nextNear].previousNear = node.previousNear
        } else {
            near[affinity].tail = node.previousNear
        }
    }

    /// Takes the first waiter; one on this loop instead, when it came at most this much later. O(1).
    public mutating func popFirst(near affinity: Int32, overtakingNanoseconds: UInt64) -> Waiter? {
        guard head >= 0 else { return nil }
        var index = head
        if overtakingNanoseconds > 0, affinity >= 0, affinity < near.count, near[Int(affinity)].head >= 0 {
            let candidate = near[Int(affinity)].head
            if nodes[candidate].waiter.turn.arrivedAt.nanoseconds - nodes[head].waiter.turn.arrivedAt.nanoseconds
                <= overtakingNanoseconds
            {
                index = candidate
            }
        }
        let waiter = nodes[index].waiter
        remove(index: index)
        return waiter
    }

    /// Takes a waiter out of the queue.
    ///
    /// - Returns: `false` when it is not in the queue any more.
    public mutating func remove(ticket: Int) -> Bool {
        guard let index = indexOfTicket[ticket] else { return false }
        remove(index: index)
        return true
    }

    /// Takes out a waiter whose deadline has passed.
    public mutating func popExpired(now: MonotonicInstant) -> Waiter? {
        dropStaleTop()
        guard let top = heap.first, top.deadline <= now else { return nil }
        popTop()
        let waiter = nodes[top.index].waiter
        remove(index: top.index)
        return waiter
    }

    public var earliestDeadline: MonotonicInstant? {
        mutating get {
            dropStaleTop()
            return heap.first?.deadline
        }
    }

    /// The index of the first waiter with a later ticket; -1 when there is none.
    private func successor(of ticket: Int) -> Int {
        if tail < 0 || nodes[tail].waiter.turn.ticket < ticket { return -1 }
        var index = head
        while nodes[index].waiter.turn.ticket < ticket { index = nodes[index].next }
        return index
    }

    private mutating func remove(index: Int) {
        let node = nodes[index]
        if node.previous >= 0 { nodes[node.previous].next = node.next } else { head = node.next }
        if node.next >= 0 { nodes[node.next].previous = node.previous } else { tail = node.previous }
        indexOfTicket[node.waiter.turn.ticket] = nil
        unlinkNear(node)
        nodes[index] = Node()
        free.append(index)
        count -= 1
        if count == 0 { heap.removeAll(keepingCapacity: true) }
    }

    private mutating func dropStaleTop() {
        while let top = heap.first, !isCurrent(top) { popTop() }
    }

    private func isCurrent(_ due: Due) -> Bool { nodes[due.index].waiter.turn.ticket == due.ticket }

    private mutating func push(_ due: Due) {
        // With deadlines far apart the entries of waiters that left would pile up below an early one that stays.
        if heap.count > 2 * count + 64 {
            let current = heap.filter(isCurrent)
            heap.removeAll(keepingCapacity: true)
            for due in current { siftUp(due) }
        }
        siftUp(due)
    }

    private mutating func siftUp(_ due: Due) {
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
