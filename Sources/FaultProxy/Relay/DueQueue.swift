import Threading

/// Which pair must be looked at when: a binary heap. Pure.
///
/// An entry that has become pointless stays until its time; looking at a pair once too often does no harm.
struct DueQueue {
    private var heap: [(time: MonotonicInstant, id: UInt64)] = []

    var count: Int { heap.count }

    var earliest: MonotonicInstant? { heap.first?.time }

    /// - Complexity: O(log *n*).
    mutating func push(_ id: UInt64, at time: MonotonicInstant) {
        heap.append((time, id))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].time < heap[parent].time else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes one entry whose time has come.
    ///
    /// - Complexity: O(log *n*).
    mutating func pop(at now: MonotonicInstant) -> UInt64? {
        guard let first = heap.first, first.time <= now else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].time < heap[least].time { least = child }
            }
            if least == parent { return first.id }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
