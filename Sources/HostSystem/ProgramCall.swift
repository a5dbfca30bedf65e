import CLinux
import Glibc
import Threading

/// One run of a program from start to end, bounded in time and in output. A value: building it starts nothing.
package struct ProgramCall: Sendable {
    /// Absolute path; see ``findProgram(_:)``.
    package var path: String
    package var arguments: [String]
    /// The whole environment; this process's own when `nil`.
    package var environment: [String: String]?
    package var workingDirectory: String?
    package var user: ProcessUser?
    /// What it reads on its standard input, from a file in memory: no pipe that could fill up or break.
    package var standardInput: [UInt8]
    package var timeout: Duration
    /// For each of the two streams.
    package var outputLimitBytes: Int
    /// Where it runs; `nil` is the network of this process.
    package var network: NetworkNamespace?
    /// It undoes what it does by itself, and must come to that when the rig is killed. All others die with the rig: their change
    /// could come after the watchdog has undone it.
    package var outlivesRig = false

    package init(
        path: String, arguments: [String] = [], environment: [String: String]? = nil, workingDirectory: String? = nil,
        user: ProcessUser? = nil, timeout: Duration = .seconds(30), standardInput: [UInt8] = [],
        outputLimitBytes: Int = 1 << 20, network: NetworkNamespace? = nil
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.timeout = timeout
        self.standardInput = standardInput
        self.outputLimitBytes = outputLimitBytes
        self.network = network
    }

    /// Runs the program on the calling thread. A program that fails is a result, not an error.
    package func runBlocking() throws(ProgramError) -> ProgramResult { try run(stop: StopRequest()) }

    /// Runs the program without blocking the cooperative pool. Cancelling the task kills it.
    package func run() async throws(ProgramError) -> ProgramResult {
        let stop = StopRequest()
        let result: Result<ProgramResult, ProgramError> = await withTaskCancellationHandler {
            await onOwnThread("run program") {
                do throws(ProgramError) { return .success(try run(stop: stop)) } catch { return .failure(error) }
            }
        } onCancel: {
            stop.request()
        }
        return try result.get()
    }

    private func run(stop: StopRequest) throws(ProgramError) -> ProgramResult {
        let began = MonotonicInstant.now
        let deadline = began.advanced(by: timeout)
        var output = try OutputPipe(for: self)
        var errors = try OutputPipe(for: self)
        let child = try start(output: output.writeEnd, errors: errors.writeEnd)
        output.closeWriteEnd()
        errors.closeWriteEnd()
        stop.attach(child)

        while child.isRunning {
            child.poll(with: [output.openReadEnd, errors.openReadEnd].compactMap { $0 }, until: deadline)
            output.drain()
            errors.drain()
            if output.isOverLimit || errors.isOverLimit {
                Self.end(child)
                throw .tooMuchOutput(program: path, limitBytes: outputLimitBytes)
            }
            if MonotonicInstant.now >= deadline && child.isRunning {
                Self.end(child)
                let words = errors.text.isEmpty ? output.text : errors.text
                throw .timedOut(program: path, limit: timeout, lastOutput: String(words.suffix(500)))
            }
        }
        if stop.isRequested { throw .cancelled(program: path) }
        // Not until the end of the streams: what the program left running may hold them open.
        output.drain()
        errors.drain()
        return ProgramResult(
            status: child.exitStatus ?? .unknown, standardOutput: output.text, standardError: errors.text,
            duration: began.duration(to: .now))
    }

    private func start(output: Int32, errors: Int32) throws(ProgramError) -> ChildProcess {
        var input: Int32?
        defer { if let input { close(input) } }
        if !standardInput.isEmpty {
            let file = standardInput.withUnsafeBytes { clinux_memory_file($0.baseAddress, $0.count) }
            guard file >= 0 else { throw .notStarted(SystemError("hold the input of \(path) in memory")) }
            input = file
        }
        do {
            return try ChildProcess(
                SpawnRequest(
                    path: path, arguments: arguments, environment: environment, workingDirectory: workingDirectory,
                    user: user, standardInput: input, standardOutput: output, standardError: errors, network: network,
                    // The thread that starts it stays until it has ended.
                    deathSignal: outlivesRig ? nil : SIGKILL))
        } catch {
            throw .notStarted(error)
        }
    }

    private static func end(_ child: ChildProcess) {
        child.signalGroup(SIGKILL)
        // A process in an uninterruptible call outlives SIGKILL for a while; do not hang on it.
        _ = child.waitBlocking(until: .now.advanced(by: .seconds(5)))
    }
}

extension OutputPipe {
    fileprivate init(for call: ProgramCall) throws(ProgramError) {
        do { try self.init(limitBytes: call.outputLimitBytes) } catch { throw .notStarted(error) }
    }
}

/// A wish to kill a child that may not have been started yet.
private final class StopRequest: Sendable {
    private let state = Lock<(child: ChildProcess?, requested: Bool)>((nil, false))

    var isRequested: Bool { state.withLock { $0.requested } }

    func attach(_ child: ChildProcess) {
        let stopNow = state.withLock { state in
            state.child = child
            return state.requested
        }
        if stopNow { child.signalGroup(SIGKILL) }
    }

    func request() {
        let child = state.withLock { state in
            state.requested = true
            return state.child
        }
        child?.signalGroup(SIGKILL)
    }
}

/// ``ProgramCall/run()`` in one expression.
///
/// - Throws: when the program could not be started, was still running at `timeout`, wrote more than the limit, or the
///   calling task was cancelled. A failing exit status is a result.
package func runProgram(
    path: String, arguments: [String] = [], environment: [String: String]? = nil, workingDirectory: String? = nil,
    user: ProcessUser? = nil, timeout: Duration = .seconds(30), standardInput: [UInt8] = [],
    outputLimitBytes: Int = 1 << 20, network: NetworkNamespace? = nil
) async throws(ProgramError) -> ProgramResult {
    try await ProgramCall(
        path: path, arguments: arguments, environment: environment, workingDirectory: workingDirectory, user: user,
        timeout: timeout, standardInput: standardInput, outputLimitBytes: outputLimitBytes, network: network
    ).run()
}
