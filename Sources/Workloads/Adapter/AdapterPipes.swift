import CLinux
import Glibc
import HostSystem
import Threading

/// The descriptors between the rig and an adapter: its standard input and output, its log, and a pipe to wake the thread that
/// serves them. Used by that thread only; closes what is open when it goes.
final class AdapterPipes {
    enum Got {
        case bytes([UInt8])
        case nothing
        case end
    }

    private(set) var childInput: Int32 = -1
    private(set) var childOutput: Int32 = -1
    private(set) var log: Int32 = -1
    private var toChild: Int32 = -1
    private var fromChild: Int32 = -1
    private var wakes: Int32 = -1
    private var wakeEnd: Int32 = -1

    init(logPath: String) throws(SystemError) {
        (childInput, toChild) = try Self.pipe()
        (fromChild, childOutput) = try Self.pipe()
        (wakes, wakeEnd) = try Self.pipe()
        log = open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard log >= 0 else { throw SystemError("open \(logPath)") }
        for descriptor in [toChild, fromChild, wakes, wakeEnd] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
    }

    deinit {
        for descriptor in [childInput, childOutput, log, toChild, fromChild, wakes, wakeEnd] where descriptor >= 0 {
            close(descriptor)
        }
    }

    private static func pipe() throws(SystemError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe(&ends) == 0 else { throw SystemError("make a pipe") }
        return (ends[0], ends[1])
    }

    /// Once the child has them.
    func closeChildEnds() {
        for descriptor in [childInput, childOutput, log] { close(descriptor) }
        (childInput, childOutput, log) = (-1, -1, -1)
    }

    /// From now on the caller's.
    func takeWakeEnd() -> Int32 {
        defer { wakeEnd = -1 }
        return wakeEnd
    }

    func wait(wantsToWrite: Bool, until deadline: MonotonicInstant) {
        var polled = [
            pollfd(fd: fromChild, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wakes, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wantsToWrite ? toChild : -1, events: Int16(POLLOUT), revents: 0),
        ]
        poll(&polled, nfds_t(polled.count), Waiting.milliseconds(until: deadline))
    }

    func drainWakes() {
        var bytes = [UInt8](repeating: 0, count: 256)
        while Glibc.read(wakes, &bytes, bytes.count) > 0 {}
    }

    /// What the pipe takes now.
    ///
    /// - Returns: `false` when nobody reads it any more.
    func write(_ bytes: inout ArraySlice<UInt8>) -> Bool {
        while !bytes.isEmpty {
            let put = bytes.withUnsafeBytes { Glibc.write(toChild, $0.baseAddress, $0.count) }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else { return put == 0 || errno == EAGAIN }
            bytes = bytes.dropFirst(put)
        }
        // A slice keeps all that ever was in front of it.
        bytes = []
        return true
    }

    func read() -> Got {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let got = Glibc.read(fromChild, &chunk, chunk.count)
            if got > 0 { return .bytes(Array(chunk[..<got])) }
            if got < 0 && errno == EINTR { continue }
            return got == 0 || errno != EAGAIN ? .end : .nothing
        }
    }
}
