import CLinux
import Glibc
package import Threading

/// How a process ended.
package enum ProcessEnd: Sendable, Equatable, CustomStringConvertible {
    case exited(Int32)
    case signalled(Int32)
    /// It ended, but somebody else in this process asked the kernel first, so nobody knows how.
    case unknown

    package var description: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .signalled(let number): "signal \(number)"
        case .unknown: "unknown exit status"
        }
    }
}

/// A child of this process. Whether it runs is judged by waiting for it, never by its number: an ended child that
/// nobody waited for keeps its number and answers `kill(pid, 0)`.
///
/// Thread-safe. Dropping the object does not end the child, nor wait for it unless it was sent SIGKILL; its owner must do both.
package final class ChildProcess: Sendable {
    package let pid: Int32
    /// Path of the program, for messages.
    package let program: String
    private let leadsGroup: Bool
    private let descriptor: Int32
    private struct State {
        var end: ProcessEnd?
        var isKilled = false
    }

    private let state = Lock(State())

    /// Starts the program.
    ///
    /// - Throws: when the process could not be made or the program could not be executed.
    package init(_ request: SpawnRequest) throws(SystemError) {
        let pid = spawnProcess(request)
        guard pid > 0 else { throw SystemError("start \(request.path)") }
        let descriptor = clinux_process_descriptor(pid)
        if descriptor < 0 {
            let error = SystemError("watch process \(pid) of \(request.path)")
            kill(pid, SIGKILL)
            var exited: Int32 = 0
            var code: Int32 = 0
            clinux_wait(pid, 0, &exited, &code)
            throw error
        }
        self.pid = pid
        self.descriptor = descriptor
        program = request.path
        leadsGroup = request.newSession
    }

    deinit {
        // Take the zombie away if it ended unseen. One that was just killed is gone within moments, unless the kernel holds it.
        if state.withLock({ $0.isKilled }) { _ = waitBlocking(until: .now.advanced(by: .seconds(5))) }
        _ = exitStatus
        close(descriptor)
    }

    /// How it ended, or `nil` while it runs. Never waits.
    package var exitStatus: ProcessEnd? {
        state.withLock { state in
            if state.end == nil { state.end = reap() }
            return state.end
        }
    }

    package var isRunning: Bool { exitStatus == nil }

    /// Sends a signal.
    ///
    /// - Returns: `false` when it has ended already.
    @discardableResult
    package func signal(_ number: Int32) -> Bool { send(number, to: pid) }

    /// Sends a signal to the child and everything it started in its process group. Only for a child with a session
    /// of its own.
    @discardableResult
    package func signalGroup(_ number: Int32) -> Bool {
        precondition(leadsGroup, "\(program) does not lead a process group: start it with newSession")
        return send(number, to: -pid)
    }

    /// Waits on the calling thread.
    ///
    /// - Returns: how it ended, or `nil` when it still runs at the deadline.
    package func waitBlocking(until deadline: MonotonicInstant) -> ProcessEnd? {
        _ = Waiting.forDescriptor(descriptor, until: deadline)
        return exitStatus
    }

    /// Waits without blocking a thread of the cooperative pool. Not ended by cancellation.
    ///
    /// - Returns: how it ended, or `nil` when it still runs at the limit.
    package func wait(within limit: Duration) async -> ProcessEnd? {
        if let status = exitStatus { return status }
        let deadline = MonotonicInstant.now.advanced(by: limit)
        return await onOwnThread("wait \(pid)") { [self] in waitBlocking(until: deadline) }
    }

    /// Waits until the child has ended, or one of the descriptors can be read or was closed, or the deadline.
    func poll(with others: [Int32], until deadline: MonotonicInstant) {
        var polled = ([descriptor] + others).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        Glibc.poll(&polled, nfds_t(polled.count), Waiting.milliseconds(until: deadline))
    }

    /// Under the lock: a number that was not waited for yet cannot belong to another process.
    private func send(_ number: Int32, to target: Int32) -> Bool {
        state.withLock { state in
            if number == SIGKILL { state.isKilled = true }
            if state.end == nil { state.end = reap() }
            return state.end == nil && kill(target, number) == 0
        }
    }

    private func reap() -> ProcessEnd? {
        var exited: Int32 = 0
        var code: Int32 = 0
        let result = clinux_wait(pid, 1, &exited, &code)
        if result == 0 { return nil }
        guard result == pid else { return .unknown }
        return exited == 1 ? .exited(code) : .signalled(code)
    }
}

/// - Returns: the pid, or -1 with `errno` set.
private func spawnProcess(_ request: SpawnRequest) -> Int32 {
    var arguments = ([request.name ?? request.path] + request.arguments).map { strdup($0) }
    arguments.append(nil)
    defer { arguments.forEach { free($0) } }
    var environment = request.environment.map { variables in variables.map { strdup("\($0.key)=\($0.value)") } }
    environment?.append(nil)
    defer { environment?.forEach { free($0) } }

    return request.path.withCString { path in
        withOptionalCString(request.workingDirectory) { folder in
            arguments.withUnsafeBufferPointer { argv in
                func spawn(_ envp: UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
                    var raw = clinux_spawn_request()
                    raw.path = path
                    raw.argv = argv.baseAddress
                    raw.envp = envp
                    raw.working_dir = folder
                    raw.stdin_fd = request.standardInput ?? -1
                    raw.stdout_fd = request.standardOutput ?? -1
                    raw.stderr_fd = request.standardError ?? -1
                    raw.keep_fd = request.keptDescriptor ?? -1
                    raw.uid = request.user?.uid ?? .max
                    raw.gid = request.user?.gid ?? .max
                    raw.new_session = request.newSession ? 1 : 0
                    raw.death_signal = request.deathSignal ?? 0
                    raw.network_fd = request.network?.descriptor ?? -1
                    return withExtendedLifetime(request.network) { clinux_spawn(&raw) }
                }
                guard let environment else { return spawn(UnsafePointer(environ)) }
                return environment.withUnsafeBufferPointer { spawn($0.baseAddress) }
            }
        }
    }
}

private func withOptionalCString<R>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
    guard let text else { return body(nil) }
    return text.withCString(body)
}
