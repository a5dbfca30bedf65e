import Glibc
import Threading

/// Where threads wait for the last one, so that all of them begin at the same time.
final class StartingLine: @unchecked Sendable {
    // @unchecked: the barrier's own memory is shared by its design; the rest is behind the lock.
    private let barrier = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)
    private let begun = Lock<MonotonicInstant?>(nil)

    init(workers: Int) { pthread_barrier_init(barrier, nil, UInt32(workers)) }

    deinit {
        pthread_barrier_destroy(barrier)
        barrier.deallocate()
    }

    /// - Returns: when the measurement ends, on the monotonic clock in nanoseconds; the same for all.
    func arrive(seconds: Double) -> UInt64 {
        pthread_barrier_wait(barrier)
        let start = begun.withLock { begun -> MonotonicInstant in
            let start = begun ?? .now
            begun = start
            return start
        }
        return start.nanoseconds + UInt64(seconds * 1e9)
    }

    /// When the first of them began.
    var start: MonotonicInstant { begun.withLock { $0 } ?? .now }
}
