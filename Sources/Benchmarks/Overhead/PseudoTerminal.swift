import Glibc
import HostSystem
import Threading

/// A terminal that nobody looks at: whatever is written to it is read and counted.
final class PseudoTerminal: Sendable {
    // Swift does not see these macros: TIOCSPTLCK, _IOW('T', 0x31, int), and TIOCGPTPEER, _IO('T', 0x41); ioctl_tty(2).
    private static let setLock: UInt = 0x4004_5431
    private static let openPeer: UInt = 0x5441

    /// The side of the program, to be given to it as its standard error.
    let terminal: Int32
    private let master: Int32
    private let bytes = Lock(0)
    private let thread = Lock<ServiceThread?>(nil)

    init() throws(SystemError) {
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard master >= 0 else { throw SystemError("open a terminal") }
        var isLocked: CInt = 0
        guard ioctl(master, Self.setLock, &isLocked) == 0 else {
            let error = SystemError("prepare a terminal")
            close(master)
            throw error
        }
        terminal = ioctl(master, Self.openPeer, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else {
            let error = SystemError("open the other side of a terminal")
            close(master)
            throw error
        }
        var size = winsize(ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(terminal, UInt(TIOCSWINSZ), &size)
        let reader = ServiceThread(name: "terminal") { [self] in read() }
        thread.withLock { $0 = reader }
    }

    /// Closes it.
    ///
    /// - Returns: how many bytes came.
    func stop() -> Int {
        if let reader = thread.withLock({ $0.take() }) {
            // Once no program has it open any more, reading fails.
            close(terminal)
            reader.join()
            close(master)
        }
        return bytes.withLock { $0 }
    }

    private func read() {
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(master, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            bytes.withLock { $0 += count }
        }
    }
}
