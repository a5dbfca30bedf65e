import CLinux
public import Synchronization

/// A mutual exclusion lock around a value: one atomic word beside it, and the kernel's futex when somebody must sleep.
///
/// `Synchronization.Mutex` does the same, but out of line in a library that the thread sanitizer does not see into, so it
/// reports false races on correct code; the atomics here are inlined and understood. A `pthread_mutex` is understood too, and
/// costs twice as much when nobody else wants it (measured: 22 against 11 ns for a pair).
///
/// Not recursive, not fair. Do not suspend, block or call back while inside.
public struct Lock<Value>: ~Copyable, @unchecked Sendable {
    // @unchecked: the word guards every access to the value behind it.
    @usableFromInline let word: UnsafeMutablePointer<Atomic<UInt32>>
    @usableFromInline let value: UnsafeMutablePointer<Value>

    public init(_ initial: sending Value) {
        // In one block, so that taking the lock fetches the value's first bytes too.
        let offset = max(MemoryLayout<Value>.alignment, MemoryLayout<UInt64>.size)
        let block = UnsafeMutableRawPointer.allocate(byteCount: offset + MemoryLayout<Value>.size, alignment: offset)
        word = block.bindMemory(to: Atomic<UInt32>.self, capacity: 1)
        word.initialize(to: Atomic(LockWord.free))
        value = (block + offset).bindMemory(to: Value.self, capacity: 1)
        value.initialize(to: initial)
    }

    deinit {
        value.deinitialize(count: 1)
        word.deinitialize(count: 1)
        UnsafeMutableRawPointer(word).deallocate()
    }

    /// Runs `body` with exclusive access to the value.
    @inlinable @inline(__always)
    public borrowing func withLock<R, E: Error>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
        LockWord.lock(word)
        defer { LockWord.unlock(word) }
        return try body(&value.pointee)
    }
}

/// The states of a lock's word, and the moves between them (Drepper, "Futexes Are Tricky", 2011, mutex 2).
@usableFromInline
enum LockWord {
    @usableFromInline static var free: UInt32 { 0 }
    @usableFromInline static var held: UInt32 { 1 }
    /// Held, and somebody may sleep until it is free.
    @usableFromInline static var contended: UInt32 { 2 }

    @inlinable @inline(__always)
    static func lock(_ word: UnsafeMutablePointer<Atomic<UInt32>>) {
        let (isFree, _) = word.pointee.compareExchange(
            expected: free, desired: held, successOrdering: .acquiring, failureOrdering: .relaxed)
        if !isFree { lockSlowly(word) }
    }

    @inlinable @inline(__always)
    static func unlock(_ word: UnsafeMutablePointer<Atomic<UInt32>>) {
        if word.pointee.exchange(free, ordering: .releasing) == contended { wakeOne(word) }
    }

    /// Looks for a moment, since most locks are held for some ten nanoseconds; then sleeps.
    @usableFromInline @inline(never)
    static func lockSlowly(_ word: UnsafeMutablePointer<Atomic<UInt32>>) {
        // Longer from look to look: those who look all the time slow the holder down.
        var pauses = 1
        for _ in 0..<20 {
            for _ in 0..<pauses { clinux_relax() }
            if word.pointee.load(ordering: .relaxed) == free {
                let (isFree, _) = word.pointee.compareExchange(
                    expected: free, desired: held, successOrdering: .acquiring, failureOrdering: .relaxed)
                if isFree { return }
            }
            pauses = min(2 * pauses, 64)
        }
        // From here on it counts as contended, also when this thread gets it at once: nobody knows who else sleeps.
        while word.pointee.exchange(contended, ordering: .acquiring) != free {
            clinux_futex_wait(UnsafeMutableRawPointer(word), contended)
        }
    }

    @usableFromInline @inline(never)
    static func wakeOne(_ word: UnsafeMutablePointer<Atomic<UInt32>>) {
        clinux_futex_wake(UnsafeMutableRawPointer(word), 1)
    }
}
