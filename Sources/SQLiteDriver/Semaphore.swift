import Glibc
import Threading

/// A counting semaphore. Thread-safe.
final class Semaphore: @unchecked Sendable {
    // @unchecked: sem_t is made for several threads.
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func signal() { sem_post(semaphore) }

    func wait() {
        while sem_wait(semaphore) != 0 {}  // EINTR
    }

    /// - Returns: `false` when the time was over first. It follows the wall clock: only for times that need no precision.
    func wait(nanoseconds: Int) -> Bool {
        var end = timespec()
        clock_gettime(CLOCK_REALTIME, &end)
        let total = end.tv_nsec + nanoseconds
        end.tv_sec += total / 1_000_000_000
        end.tv_nsec = total % 1_000_000_000
        while sem_timedwait(semaphore, &end) != 0 {
            if errno == ETIMEDOUT { return false }
        }
        return true
    }
}
