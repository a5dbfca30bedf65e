import Threading

/// All slots of a loop. Grows in chunks; any thread may take and return.
final class SlotTable: Sendable {
    private struct State {
        var slots: [Slot] = []
        var free: [Int] = []
    }

    private let state = Lock(State())

    /// Takes a free slot.
    ///
    /// - Complexity: O(1) amortised; the table doubles when it is full.
    func allocate() -> Slot {
        state.withLock { state in
            if state.free.isEmpty {
                let first = state.slots.count
                let end = first + max(64, first)
                precondition(end < Int(UInt32.max), "more slots than an epoll token can name")
                state.slots.append(contentsOf: (first..<end).map(Slot.init(index:)))
                state.free.append(contentsOf: (first..<end).reversed())
            }
            return state.slots[state.free.removeLast()]
        }
    }

    /// Gives a slot back that nobody waits on. Events that are still on their way to it will be dropped.
    func recycle(_ slot: Slot) {
        let callbacks = slot.state.withLock { state in
            precondition(state.waiter == nil, "a slot was given back while a task waits on it")
            state.generation &+= 1
            state.waitNumber &+= 1
            state.deadline = .distantFuture
            state.edges = nil
            return (state.onExpiry.take(), state.onIdleEvent.take())
        }
        // What the callbacks hold is let go here, outside the locks.
        withExtendedLifetime(callbacks) {}
        state.withLock { $0.free.append(slot.index) }
    }

    /// Every slot that exists now. Slots keep their place, so a copy stays right for the indices that it has.
    var all: [Slot] { state.withLock { $0.slots } }

    /// How many slots exist, and how many of them are free.
    var counts: (total: Int, free: Int) { state.withLock { ($0.slots.count, $0.free.count) } }
}
