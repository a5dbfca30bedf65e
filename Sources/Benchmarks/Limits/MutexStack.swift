import Glibc

/// The smallest pool there is: a stack behind a mutex, with a condition variable for those who find it empty. The limit
/// for acquire and release; it has no deadlines, no order, no checks.
final class MutexStack: @unchecked Sendable {
    // @unchecked: everything below is used with the mutex held.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let notEmpty = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let items: UnsafeMutablePointer<Int>
    private var count: Int

    init(count: Int) {
        self.count = count
        items = .allocate(capacity: max(1, count))
        for index in 0..<count { items[index] = index + 1 }
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(notEmpty, nil)
    }

    deinit {
        pthread_cond_destroy(notEmpty)
        pthread_mutex_destroy(mutex)
        notEmpty.deallocate()
        mutex.deallocate()
        items.deallocate()
    }

    func acquire() -> Int {
        pthread_mutex_lock(mutex)
        while count == 0 { pthread_cond_wait(notEmpty, mutex) }
        count -= 1
        let item = items[count]
        pthread_mutex_unlock(mutex)
        return item
    }

    func release(_ item: Int) {
        pthread_mutex_lock(mutex)
        items[count] = item
        count += 1
        pthread_cond_signal(notEmpty)
        pthread_mutex_unlock(mutex)
    }
}

struct MutexStackTurn: BlockingOperation {
    let stack: MutexStack

    mutating func run(_ keys: inout KeyStream) { stack.release(stack.acquire()) }
}
