import Threading

/// Which slot must be looked at next: a binary heap with at most one entry per slot.
///
/// An entry may be earlier than the slot's real deadline, never later. So a deadline that moves later costs nothing here:
/// when the old entry expires, the loop looks at the slot and enters the new time.
struct DeadlineHeap {
    private struct Entry {
        var time: MonotonicInstant
        var slot: Int
    }

    private var entries: [Entry] = []
    /// Where each slot's entry is in `entries`, by slot number; -1 when it has none.
    private var positions: [Int] = []

    var count: Int { entries.count }

    /// The earliest time of all; `distantFuture` when the heap is empty.
    var earliest: MonotonicInstant { entries.first?.time ?? .distantFuture }

    /// Enters `slot` at `time`, in place of the entry it may have.
    ///
    /// - Returns: whether this is now earlier than every entry before it, so a sleeping loop must be told.
    /// - Complexity: O(log *n*) in the number of slots with an entry.
    mutating func set(_ slot: Int, at time: MonotonicInstant) -> Bool {
        let before = earliest
        while positions.count <= slot { positions.append(-1) }
        let position = positions[slot]
        if position < 0 {
            entries.append(Entry(time: time, slot: slot))
            positions[slot] = entries.count - 1
            siftUp(entries.count - 1)
        } else {
            entries[position].time = time
            siftUp(position)
            siftDown(positions[slot])
        }
        return time < before
    }

    /// Takes one slot out whose time is not later than `now`; `nil` when there is none.
    mutating func popExpired(at now: MonotonicInstant) -> Int? {
        guard let first = entries.first, first.time <= now else { return nil }
        swap(0, entries.count - 1)
        entries.removeLast()
        positions[first.slot] = -1
        siftDown(0)
        return first.slot
    }

    private mutating func swap(_ a: Int, _ b: Int) {
        guard a != b else { return }
        entries.swapAt(a, b)
        positions[entries[a].slot] = a
        positions[entries[b].slot] = b
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0, entries[child].time < entries[(child - 1) / 2].time {
            swap(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
                if entries[child].time < entries[least].time { least = child }
            }
            if least == parent { return }
            swap(parent, least)
            parent = least
        }
    }
}
