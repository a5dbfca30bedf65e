import CLinux
import Glibc
import HostSystem
import RigModel
import Threading

/// One life of an adapter: the child process, its pipes, and the thread that serves them. Thread-safe.
///
/// The child is killed by the kernel when that thread ends, so it never outlives the rig, however that ends.
final class AdapterProcess: Sendable {
    /// What the child is started with.
    struct Command: Sendable {
        /// Absolute path of the program.
        var path: String
        var arguments: [String]
        /// Argument 0; the path when `nil`.
        var name: String?
        var environment: [String: String]
        /// Its standard error is appended here.
        var logPath: String

        var words: String { ([name ?? path] + arguments).joined(separator: " ") }
    }

    /// What it tells its owner, on its own thread, one at a time.
    enum News: Sendable {
        case line(JSONValue)
        /// Nothing comes after it.
        case ended(reason: String)
        /// A moment has passed: about every 50 ms.
        case tick
    }

    /// A line that is longer is none of the protocol: nobody may fill the rig's memory.
    private static let lineLimit = 16 << 20
    /// What waits for a child that does not read.
    private static let backlogLimit = 64 << 20
    private static let tick = Duration.milliseconds(50)
    /// From SIGKILL to the end.
    private static let killLimit = Duration.seconds(10)

    private struct State {
        var outgoing: [UInt8] = []
        /// The thread shall kill the child, and why.
        var stopReason: String?
        var hasEnded = false
    }

    private let state = Lock(State())
    private let child: Lock<ChildProcess?> = Lock(nil)
    /// Written to wake the thread; its read end is the thread's.
    private let wakeEnd: Lock<Int32>
    private let thread: Lock<ServiceThread?> = Lock(nil)
    let identity: ProcessIdentity

    private init(wakeEnd: Int32, child: ChildProcess, identity: ProcessIdentity) {
        self.wakeEnd = Lock(wakeEnd)
        self.child.withLock { $0 = child }
        self.identity = identity
    }

    /// Starts the child.
    ///
    /// - Parameter handle: is told what happens; must not block.
    /// - Returns: the process, or why there is none.
    static func start(
        _ command: Command, handle: @escaping @Sendable (News) -> Void
    ) async -> Result<AdapterProcess, AdapterError> {
        let started = Lock<ServiceThread?>(nil)
        let result = await withCheckedContinuation { continuation in
            let thread = ServiceThread(name: "pool process") { serve(command, continuation, handle) }
            started.withLock { $0 = thread }
        }
        let thread = started.withLock { $0.take() }
        switch result {
        case .success(let process): process.thread.withLock { $0 = thread }
        case .failure: await onOwnThread("join pool process") { thread?.join() }
        }
        return result
    }

    /// Sends one line. Never waits.
    ///
    /// - Returns: `false` when the child is gone, so that no byte of it was sent.
    func send(_ line: JSONValue) -> Bool {
        var bytes: [UInt8] = []
        line.write(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        let isAccepted = state.withLock { state in
            guard !state.hasEnded, state.stopReason == nil else { return false }
            state.outgoing.append(contentsOf: bytes)
            return true
        }
        if isAccepted { wake() }
        return isAccepted
    }

    /// What cannot be refused goes to all that it started, too; what asks goes to it alone.
    func signal(_ number: Int32) -> Bool {
        guard let child = child.withLock({ $0 }) else { return false }
        return [SIGKILL, SIGSTOP, SIGCONT].contains(number) ? child.signalGroup(number) : child.signal(number)
    }

    /// Kills the child; the news of its end follow.
    func kill(because reason: String) {
        state.withLock { $0.stopReason = $0.stopReason ?? reason }
        wake()
    }

    /// Waits until the child has ended.
    ///
    /// - Returns: `false` when it runs at the limit.
    func waitUntilEnded(within limit: Duration) async -> Bool {
        guard let child = child.withLock({ $0 }) else { return true }
        return await child.wait(within: limit) != nil
    }

    /// Waits for the thread, which ends with the child. Only after ``waitUntilEnded(within:)``.
    func join() async {
        guard let thread = thread.withLock({ $0.take() }) else { return }
        await onOwnThread("join pool process") { thread.join() }
    }

    private func wake() {
        wakeEnd.withLock { end in
            var byte: UInt8 = 1
            // A full pipe wakes as well.
            if end >= 0 { _ = Glibc.write(end, &byte, 1) }
        }
    }

    // MARK: The thread

    private static func serve(
        _ command: Command, _ continuation: CheckedContinuation<Result<AdapterProcess, AdapterError>, Never>,
        _ handle: (News) -> Void
    ) {
        // Writing to a child that has gone must fail here, and not end the process.
        var pipeSignal = sigset_t()
        sigemptyset(&pipeSignal)
        sigaddset(&pipeSignal, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipeSignal, nil)

        let pipes: AdapterPipes
        let process: AdapterProcess
        do throws(SystemError) {
            pipes = try AdapterPipes(logPath: command.logPath)
            let child = try ChildProcess(
                SpawnRequest(
                    path: command.path, arguments: command.arguments, name: command.name,
                    environment: command.environment, standardInput: pipes.childInput,
                    standardOutput: pipes.childOutput, standardError: pipes.log, newSession: true,
                    deathSignal: SIGKILL))
            pipes.closeChildEnds()
            guard let identity = ProcessTable.identity(of: child.pid) else {
                child.signalGroup(SIGKILL)
                _ = child.waitBlocking(until: .now.advanced(by: killLimit))
                throw SystemError("look at the new process \(child.pid)")
            }
            process = AdapterProcess(wakeEnd: pipes.takeWakeEnd(), child: child, identity: identity)
        } catch {
            continuation.resume(returning: .failure(.notStarted(command: command.words, problem: "\(error)")))
            return
        }
        continuation.resume(returning: .success(process))
        handle(.ended(reason: process.run(pipes, handle)))
    }

    /// Serves the pipes until the child has ended.
    ///
    /// - Returns: why it ended.
    private func run(_ pipes: AdapterPipes, _ handle: (News) -> Void) -> String {
        guard let child = child.withLock({ $0 }) else { return "it was never started" }
        var lines = AdapterLines(limit: Self.lineLimit)
        var outgoing: ArraySlice<UInt8> = []
        var reason: String?
        var nextTick = MonotonicInstant.now.advanced(by: Self.tick)
        while reason == nil {
            pipes.wait(wantsToWrite: !outgoing.isEmpty, until: nextTick)
            pipes.drainWakes()
            let stop = state.withLock { state in
                outgoing += state.outgoing
                state.outgoing = []
                return state.stopReason
            }
            reason = stop
            if outgoing.count > Self.backlogLimit {
                reason = "it does not read: \(outgoing.count >> 20) MB wait on its standard input"
            }
            let isRead = pipes.write(&outgoing)
            switch pipes.read() {
            case .bytes(let bytes):
                lines.add(bytes)
                while reason == nil, let line = lines.next() {
                    switch line {
                    case .success(let value): handle(.line(value))
                    case .failure(let problem): reason = "it wrote \(problem)"
                    }
                }
            // Something that it started may still hold the pipe open.
            case .nothing: if !child.isRunning { reason = reason ?? "it ended" }
            case .end: reason = reason ?? "it closed its standard output"
            }
            // After what it said last.
            if !isRead { reason = reason ?? "it closed its standard input" }
            if MonotonicInstant.now >= nextTick {
                nextTick = .now.advanced(by: Self.tick)
                handle(.tick)
            }
        }
        // Its own end comes first where it is the reason for the closed pipe.
        let grace = MonotonicInstant.now.advanced(by: .milliseconds(500))
        let end = stopRequested ? nil : child.waitBlocking(until: grace)
        if end == nil {
            child.signalGroup(SIGKILL)
            _ = child.waitBlocking(until: .now.advanced(by: Self.killLimit))
        }
        // What it started (it may be a wrapper) would keep its sessions on the server. Where this fails the journal tries again.
        try? Undoer().perform(.endProcess(pid: identity.pid, startTicks: identity.startTicks))
        state.withLock { $0.hasEnded = true }
        wakeEnd.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
        return end.map { "\($0)" } ?? reason ?? "it was killed"
    }

    private var stopRequested: Bool { state.withLock { $0.stopReason != nil } }
}
