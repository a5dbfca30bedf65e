import CLinux
import Glibc
import HostSystem
import Threading

/// The process that decides about packets, as the rig sees it. Thread-safe.
///
/// It ends when the rig closes the pipe that is its input, or ends itself. In the journal it is with the run's folder, which its
/// command line names.
final class PacketQueueProcess: Sendable {
    private static let startLimit = Duration.seconds(10)
    private static let endLimit = Duration.seconds(5)

    private let child: ChildProcess
    /// The write end of its input; -1 when it was closed.
    private let lifeline: Lock<Int32>
    private let output: Int32
    private let errors: Int32

    private init(child: ChildProcess, lifeline: Int32, output: Int32, errors: Int32) {
        self.child = child
        self.lifeline = Lock(lifeline)
        self.output = output
        self.errors = errors
    }

    deinit {
        letGo()
        close(output)
        close(errors)
    }

    /// Returns when it listens.
    ///
    /// - Parameter rig: the program that knows ``PacketQueueCommand/name``.
    static func start(
        _ order: PacketQueueOrder, in network: NetworkNamespace?, rig: String = RigProgram.path
    ) async throws -> PacketQueueProcess {
        let process = try launch(order, network, rig)
        let giveUpAt = MonotonicInstant.now.advanced(by: startLimit)
        while process.counts == nil {
            guard process.child.isRunning, MonotonicInstant.now < giveUpAt else {
                let words = process.text(process.errors)
                await process.stop()
                throw InjectionError("the packet queue did not start: \(words.firstLine)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        return process
    }

    /// What it has done so far; `nil` before it has begun.
    var counts: PacketCounts? { PacketCounts(line: text(output)) }
    var isRunning: Bool { child.isRunning }

    /// Lets it end; what it holds goes on. Idempotent, bounded.
    func stop() async {
        letGo()
        if await child.wait(within: Self.endLimit) == nil {
            child.signal(SIGKILL)
            _ = await child.wait(within: Self.endLimit)
        }
    }

    private static func launch(
        _ order: PacketQueueOrder, _ network: NetworkNamespace?, _ rig: String
    ) throws(SystemError) -> PacketQueueProcess {
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe(&ends) == 0 else { throw SystemError("make the packet queue's pipe") }
        defer { close(ends[0]) }
        let output = clinux_memory_file(nil, 0)
        let errors = clinux_memory_file(nil, 0)
        do throws(SystemError) {
            guard output >= 0, errors >= 0 else { throw SystemError("make a file in memory") }
            let child = try ChildProcess(
                SpawnRequest(
                    path: rig, arguments: [PacketQueueCommand.name] + order.arguments, name: "chaosrig",
                    workingDirectory: "/", standardInput: ends[0], standardOutput: output, standardError: errors,
                    newSession: true, network: network))
            return PacketQueueProcess(child: child, lifeline: ends[1], output: output, errors: errors)
        } catch {
            for descriptor in [ends[1], output, errors] where descriptor >= 0 { close(descriptor) }
            throw error
        }
    }

    private func letGo() {
        lifeline.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    private func text(_ file: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let got = pread(file, &buffer, buffer.count, 0)
        return got > 0 ? String(decoding: buffer[..<got], as: UTF8.self) : ""
    }
}
