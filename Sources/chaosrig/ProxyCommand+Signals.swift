import Dispatch
import Glibc
import Synchronization
import Threading

/// Waits for SIGINT, SIGTERM or SIGHUP. The second one ends the process at once.
final class StopSignals: Sendable {
    private let sources = Lock<[any DispatchSourceSignal]>([])
    private let signals: AsyncStream<Int32>
    private let isStopping = Atomic<Bool>(false)

    init() {
        let (signals, feed) = AsyncStream.makeStream(of: Int32.self)
        self.signals = signals
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
            source.setEventHandler { [self] in
                if isStopping.exchange(true, ordering: .acquiringAndReleasing) { _exit(128 + number) }
                feed.yield(number)
            }
            source.resume()
            sources.withLock { $0.append(source) }
        }
    }

    /// The first one's number.
    func first() async -> Int32 {
        for await number in signals { return number }
        return SIGTERM
    }

    func stop() { for source in sources.withLock({ $0 }) { source.cancel() } }
}
