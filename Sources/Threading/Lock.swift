import Glibc

/// A mutual exclusion lock around a value.
///
/// `Synchronization.Mutex` would do the same, but the thread sanitizer does not see inside it and reports false races
/// on correct code; a `pthread_mutex` is understood. Not recursive. Do not suspend, block or call back while inside.
package struct Lock<Value>: ~Copyable, @unchecked Sendable {
    // @unchecked: the mutex at this stable address guards every access to the value beside it.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    package init(_ initial: sending Value) {
        mutex = .allocate(capacity: 1)
        value = .allocate(capacity: 1)
        value.initialize(to: initial)
        var attributes = pthread_mutexattr_t()
        pthread_mutexattr_init(&attributes)
        // PTHREAD_MUTEX_ADAPTIVE_NP, whose name needs _GNU_SOURCE: a thread that finds the lock taken looks again for a
        // moment before it sleeps. Four threads on one pool do a third more with it.
        pthread_mutexattr_settype(&attributes, 3)
        pthread_mutex_init(mutex, &attributes)
        pthread_mutexattr_destroy(&attributes)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        value.deinitialize(count: 1)
        value.deallocate()
    }

    /// Runs `body` with exclusive access to the value.
    @inlinable
    package borrowing func withLock<R, E: Error>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
        lock()
        defer { unlock() }
        return try body(&pointer.pointee)
    }

    @usableFromInline package var pointer: UnsafeMutablePointer<Value> { value }
    @usableFromInline package func lock() { pthread_mutex_lock(mutex) }
    @usableFromInline package func unlock() { pthread_mutex_unlock(mutex) }
}
