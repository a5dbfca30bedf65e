import Dispatch
import Glibc
import Orchestrator
import Threading

/// Turns SIGINT, SIGTERM and SIGHUP into an interrupt of the run. The second one ends the process at once: the watchdog
/// heals what is left.
final class SignalWatch: Sendable {
    private let sources: Lock<[any DispatchSourceSignal]>

    init(_ interrupt: Interrupt, progress: any ProgressDisplay) {
        sources = Lock([])
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
            source.setEventHandler {
                if interrupt.raised != nil { _exit(128 + number) }
                interrupt.raise(number)
                let words = "stopping: healing faults and writing the report (again: stop at once)"
                // Who asked for silence and then pressed Ctrl-C wants to know that it was heard.
                if progress is SilentProgress { Output.error(words) } else { progress.say(words) }
            }
            source.resume()
            sources.withLock { $0.append(source) }
        }
    }

    func stop() { for source in sources.withLock({ $0 }) { source.cancel() } }
}
