import CLinux
import Glibc
import Synchronization
import Threading

/// Waits for SIGINT, SIGTERM or SIGHUP. The second one ends the process at once. One at a time in a process.
///
/// Not with libdispatch's signal sources: on Linux those block a signal and send it once more until a thread that waits for it
/// wins the race for it, and under the thread sanitizer it can get lost on that way.
final class StopSignals: Sendable {
    private static let numbers = [SIGINT, SIGTERM, SIGHUP]
    /// Where the handler writes; what it may use is this and `write`.
    private static let writeEnd = Atomic<Int32>(-1)
    private static let isStopping = Atomic<Bool>(false)

    private let signals: AsyncStream<Int32>
    private let reader: ServiceThread

    init() {
        let (signals, feed) = AsyncStream.makeStream(of: Int32.self)
        self.signals = signals
        var ends: [Int32] = [-1, -1]
        precondition(clinux_pipe(&ends) == 0, "no pipe for signals (is the limit of open files reached? see ulimit -n)")
        let readEnd = ends[0]
        Self.isStopping.store(false, ordering: .releasing)
        Self.writeEnd.store(ends[1], ordering: .releasing)
        reader = ServiceThread(name: "signals") {
            var number: UInt8 = 0
            while true {
                let count = read(readEnd, &number, 1)
                if count < 0, errno == EINTR { continue }
                guard count == 1 else { break }
                feed.yield(Int32(number))
            }
            close(readEnd)
        }
        for number in Self.numbers where number != SIGHUP || !Self.isIgnored(SIGHUP) {
            _ = signal(number) { number in
                let seen = errno
                if StopSignals.isStopping.exchange(true, ordering: .acquiringAndReleasing) { _exit(128 + number) }
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(StopSignals.writeEnd.load(ordering: .acquiring), &byte, 1)
                errno = seen
            }
        }
    }

    /// As `nohup` wants it.
    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1  // SIG_IGN
    }

    /// The first one's number.
    func first() async -> Int32 {
        for await number in signals { return number }
        return SIGTERM
    }

    /// From now on each of them ends the process at once.
    func stop() {
        Self.isStopping.store(true, ordering: .releasing)
        close(Self.writeEnd.exchange(-1, ordering: .acquiringAndReleasing))
        reader.join()
    }
}
