import Dispatch
import Glibc
import Orchestrator

/// Turns SIGINT, SIGTERM and SIGHUP into an interrupt of the run. The second one ends the process at once: the watchdog
/// heals what is left.
final class SignalWatch: Sendable {
    private let sources: [any DispatchSourceSignal]

    init(_ interrupt: Interrupt, progress: any ProgressDisplay) {
        sources = [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInitiated))
            source.setEventHandler {
                if interrupt.raised != nil { _exit(128 + number) }
                interrupt.raise(number)
                progress.say("stopping: healing faults and writing the report (again: stop at once)")
            }
            source.resume()
            return source
        }
    }

    func stop() { for source in sources { source.cancel() } }
}
