import Glibc
import HostSystem
import Threading

/// Stops and continues a process in turn, on a thread of its own, until it is told to end. Thread-safe.
final class DutyCycle: Sendable {
    /// The thread's, too, which may outlive this object.
    private final class Course: Sendable {
        let state = Lock((isEnding: false, stops: 0))
    }

    private let process: ProcessIdentity
    private let course = Course()
    private let thread: Lock<ServiceThread?> = Lock(nil)

    init(_ process: ProcessIdentity, running: Duration, stopped: Duration) {
        self.process = process
        let course = course
        let thread = ServiceThread(name: "duty cycle", stackBytes: 256 << 10) {
            while !course.state.withLock({ $0.isEnding }), process.isAlive {
                guard process.signal(SIGSTOP) == 0 else { break }
                course.state.withLock { $0.stops += 1 }
                Waiting.sleep(until: .now.advanced(by: stopped))
                process.signal(SIGCONT)
                Waiting.sleep(until: .now.advanced(by: running))
            }
            process.signal(SIGCONT)
        }
        self.thread.withLock { $0 = thread }
    }

    /// How often the process was stopped so far.
    var stops: Int { course.state.withLock { $0.stops } }

    /// Ends the thread, at most one turn later.
    ///
    /// - Returns: what makes sure that the process goes on.
    func stop() async -> Undo {
        course.state.withLock { $0.isEnding = true }
        if let thread = thread.withLock({ $0.take() }) { await onOwnThread("end cycle") { thread.join() } }
        return .continueProcess(pid: process.pid, startTicks: process.startTicks)
    }
}
