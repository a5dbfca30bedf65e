import CLinux
import Glibc
import Threading

/// A child that says lines on its standard output, and ends when its standard input does: at the latest with this process,
/// whose pipe the kernel closes. Thread-safe.
package final class TalkingProcess: Sendable {
    private struct Said {
        var lines = 0
        var last: String?
    }

    private final class Ear: Sendable {
        private static let look = Duration.milliseconds(50)
        let said = Lock(Said())
        /// The child is gone. What it started may still have its output open.
        let isOver = Lock(false)

        /// Reads up to the end of the stream, or up to what there is when the child is gone, and closes it.
        func listen(to descriptor: Int32) {
            var buffer = [UInt8](repeating: 0, count: 4096)
            var line: [UInt8] = []
            while true {
                guard Waiting.forDescriptor(descriptor, until: .now.advanced(by: Self.look)) else {
                    if isOver.withLock({ $0 }) { break }
                    continue
                }
                let got = read(descriptor, &buffer, buffer.count)
                if got < 0 && errno == EINTR { continue }
                guard got > 0 else { break }
                for byte in buffer[..<got] {
                    guard byte == UInt8(ascii: "\n") else {
                        line.append(byte)
                        continue
                    }
                    let text = String(decoding: line, as: UTF8.self)
                    line = []
                    said.withLock { said in
                        said.lines += 1
                        said.last = text
                    }
                }
            }
            close(descriptor)
        }
    }

    private let child: ChildProcess
    private let ear: Ear
    private let listener: ServiceThread
    /// The write end of its standard input; -1 once it is closed.
    private let lifeline: Lock<Int32>

    /// Starts it, in a session of its own.
    package init(path: String, arguments: [String], name: String) throws(SystemError) {
        var input: [Int32] = [-1, -1]
        var output: [Int32] = [-1, -1]
        guard clinux_pipe(&input) == 0 else { throw SystemError("make a pipe") }
        defer { close(input[0]) }
        guard clinux_pipe(&output) == 0 else {
            let error = SystemError("make a pipe")
            close(input[1])
            throw error
        }
        defer { close(output[1]) }
        do throws(SystemError) {
            child = try ChildProcess(
                SpawnRequest(
                    path: path, arguments: arguments, name: name, workingDirectory: "/", standardInput: input[0],
                    standardOutput: output[1], newSession: true))
        } catch {
            close(input[1])
            close(output[0])
            throw error
        }
        lifeline = Lock(input[1])
        let ear = Ear()
        let source = output[0]
        self.ear = ear
        listener = ServiceThread(name: "ear \(child.pid)", stackBytes: 256 << 10) { ear.listen(to: source) }
    }

    deinit {
        child.signalGroup(SIGKILL)
        letGo()
        ear.isOver.withLock { $0 = true }
        listener.join()  // within one look
    }

    package var pid: Int32 { child.pid }
    package var isRunning: Bool { child.isRunning }
    /// Lines that it has said so far, and the last of them.
    package var lines: Int { ear.said.withLock { $0.lines } }
    package var lastLine: String? { ear.said.withLock { $0.last } }

    /// Ends its input and waits; kills it when it does not end in time.
    ///
    /// - Returns: how it ended. Always when it is gone.
    @discardableResult
    package func end(within limit: Duration) async -> ProcessEnd {
        letGo()
        var end = await child.wait(within: limit)
        while end == nil {
            child.signalGroup(SIGKILL)
            end = await child.wait(within: .seconds(1))
        }
        ear.isOver.withLock { $0 = true }
        await onOwnThread("ear") { [listener] in listener.join() }
        return end ?? .unknown
    }

    private func letGo() {
        lifeline.withLock { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }
}
