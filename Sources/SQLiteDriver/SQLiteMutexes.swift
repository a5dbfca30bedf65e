import CSQLite
import Glibc

/// Mutexes for SQLite that look again for a moment before they sleep. SQLite's own sleep at once, and every read of every
/// connection takes the one mutex of its file's shared memory: with four threads the sleeping costs more than the reading.
enum SQLiteMutexes {
    /// Hands them to SQLite. Must come before its first other use in the process, else it is refused without harm.
    static func install() {
        var methods = sqlite3_mutex_methods()
        methods.xMutexInit = { SQLITE_OK }
        methods.xMutexEnd = { SQLITE_OK }
        methods.xMutexAlloc = { kind in
            switch kind {
            case SQLITE_MUTEX_FAST: SQLiteMutexes.make(SQLiteMutexes.adaptive)
            case SQLITE_MUTEX_RECURSIVE: SQLiteMutexes.make(SQLiteMutexes.recursive)
            default: SQLiteMutexes.shared(kind)
            }
        }
        methods.xMutexFree = { mutex in
            guard let mutex = SQLiteMutexes.pointer(mutex) else { return }
            pthread_mutex_destroy(mutex)
            mutex.deallocate()
        }
        methods.xMutexEnter = { if let mutex = SQLiteMutexes.pointer($0) { pthread_mutex_lock(mutex) } }
        methods.xMutexLeave = { if let mutex = SQLiteMutexes.pointer($0) { pthread_mutex_unlock(mutex) } }
        methods.xMutexTry = { mutex in
            guard let mutex = SQLiteMutexes.pointer(mutex) else { return SQLITE_OK }
            return pthread_mutex_trylock(mutex) == 0 ? SQLITE_OK : SQLITE_BUSY
        }
        // xMutexHeld and xMutexNotheld stay empty: only debug builds of SQLite call them.
        _ = csqlite_set_mutexes(&methods)
    }

    /// PTHREAD_MUTEX_ADAPTIVE_NP, whose name needs _GNU_SOURCE.
    private static let adaptive: Int32 = 3
    /// PTHREAD_MUTEX_RECURSIVE.
    private static let recursive: Int32 = 1

    private static func pointer(_ mutex: OpaquePointer?) -> UnsafeMutablePointer<pthread_mutex_t>? {
        mutex.map { UnsafeMutablePointer($0) }
    }

    private static func make(_ type: Int32) -> OpaquePointer {
        var attributes = pthread_mutexattr_t()
        pthread_mutexattr_init(&attributes)
        pthread_mutexattr_settype(&attributes, type)
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        pthread_mutex_init(mutex, &attributes)
        pthread_mutexattr_destroy(&attributes)
        return OpaquePointer(mutex)
    }

    /// SQLite asks for its static mutexes by number, again and again.
    private static func shared(_ kind: Int32) -> OpaquePointer? {
        let place = Int(kind - SQLITE_MUTEX_STATIC_MAIN)
        return statics.indices.contains(place) ? statics[place].pointer : nil
    }

    /// They live as long as the process.
    private struct Static: @unchecked Sendable {
        // @unchecked: a mutex is made for several threads.
        let pointer: OpaquePointer
    }

    private static let statics = (SQLITE_MUTEX_STATIC_MAIN...SQLITE_MUTEX_STATIC_VFS3).map { _ in
        Static(pointer: make(adaptive))
    }
}
