package import Threading

/// The acquires that wait, in order of arrival: FIFO with removal from anywhere in O(1), and the earliest deadline in
/// O(log n) amortised. Pure.
package struct WaiterQueue: Sendable {
    /// One acquire that waits.
    package struct Waiter: Sendable, Equatable {
        package var turn = Turn(ticket: -1, arrivedAt: MonotonicInstant(nanoseconds: 0))
        package var site: BorrowSite?
    }

    private struct Node: Sendable {
        var waiter = Waiter()
        var previous = -1
        var next = -1
    }

    private struct Due: Sendable {
        let deadline: MonotonicInstant
        let index: Int
        let ticket: Int
    }

    private var nodes: [Node] = []
    private var free: [Int] = []
    private var head = -1
    private var tail = -1
    private var indexOfTicket: [Int: Int] = [:]
    /// A binary heap by deadline; entries of waiters that left stay until they reach the top or outnumber the rest.
    private var heap: [Due] = []

    package private(set) var count = 0
    package var isEmpty: Bool { count == 0 }

    package init() {}

    /// Puts a waiter at its place by ticket: at the end, or further ahead when it comes back from a connection that proved
    /// dead. O(1) at the end, else O(waiters before it), which are such waiters too: at most one for each connection.
    package mutating func enqueue(_ turn: Turn, deadline: MonotonicInstant, site: BorrowSite?) {
        let next = successor(of: turn.ticket)
        let previous = next >= 0 ? nodes[next].previous : tail
        let node = Node(waiter: Waiter(turn: turn, site: site), previous: previous, next: next)
        let index = free.popLast() ?? nodes.count
        if index == nodes.count { nodes.append(node) } else { nodes[index] = node }
        if previous >= 0 { nodes[previous].next = index } else { head = index }
        if next >= 0 { nodes[next].previous = index } else { tail = index }
        indexOfTicket[turn.ticket] = index
        count += 1
        push(Due(deadline: deadline, index: index, ticket: turn.ticket))
    }

    /// Takes the first waiter off the queue.
    package mutating func popFirst() -> Waiter? {
        guard head >= 0 else { return nil }
        let waiter = nodes[head].waiter
        remove(index: head)
        return waiter
    }

    /// Takes a waiter out of the queue.
    ///
    /// - Returns: `false` when it is not in the queue any more.
    package mutating func remove(ticket: Int) -> Bool {
        guard let index = indexOfTicket[ticket] else { return false }
        remove(index: index)
        return true
    }

    /// Takes out a waiter whose deadline has passed.
    package mutating func popExpired(now: MonotonicInstant) -> Waiter? {
        dropStaleTop()
        guard let top = heap.first, top.deadline <= now else { return nil }
        popTop()
        let waiter = nodes[top.index].waiter
        remove(index: top.index)
        return waiter
    }

    package var earliestDeadline: MonotonicInstant? {
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
