import Dispatch
import Glibc
import Threading

/// The threads that relays work on. Thread-safe. They run until ``stop()``, which is after all relays have stopped.
package final class RelayThreads: Sendable {
    let threads: [RelayThread]
    private let running: Lock<[ServiceThread]>

    /// - Parameters:
    ///   - count: at least 1; by default up to 4, as many as there are processors.
    ///   - prepare: done first on each thread.
    /// - Throws: ``ProxyError/noResource(_:)``.
    package init(
        count: Int = RelayThreads.standardCount, prepare: @escaping @Sendable () -> Void = {}
    ) throws(ProxyError) {
        var made: [RelayThread] = []
        for _ in 0..<max(1, count) { made.append(try RelayThread()) }
        threads = made
        running = Lock(
            made.map { thread in
                ServiceThread(name: "relay") {
                    prepare()
                    thread.run()
                }
            })
    }

    package static var standardCount: Int { max(1, min(4, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// Ends the threads and waits for them. Relays must have stopped.
    package func stop() {
        let ending = running.withLock { running in
            defer { running = [] }
            return running
        }
        guard !ending.isEmpty else { return }
        for thread in threads { thread.stop() }
        for thread in ending { thread.join() }
    }

    deinit { stop() }

    /// Looks at connections that are planned for later, in all threads; for tests. Blocks for moments.
    package var plannedLooks: Int {
        let sum = Lock(0)
        onAll { thread in sum.withLock { $0 += thread.plannedLooks } }
        return sum.withLock { $0 }
    }

    /// Runs on every thread that has not been stopped, and waits until all have. Not from one of them.
    func onAll(_ body: @escaping @Sendable (RelayThread) -> Void) {
        let left = Lock(threads.count)
        let done = DispatchSemaphore(value: 0)
        let countDown: @Sendable () -> Void = {
            let isLast = left.withLock { left in
                left -= 1
                return left == 0
            }
            if isLast { done.signal() }
        }
        for thread in threads {
            let isTaken = thread.post {
                body($0)
                countDown()
            }
            if !isTaken { countDown() }
        }
        done.wait()
    }
}
