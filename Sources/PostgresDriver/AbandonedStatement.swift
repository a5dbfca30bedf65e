import EventLoop
import Glibc
import Threading

/// A statement that its client has given up, and that may still run on the server.
///
/// One request to cancel it is not always enough: when the server's process has not begun the statement yet, the request
/// finds it idle and is forgotten, and the statement runs to its end. So the server is asked again, until it hangs up.
final class AbandonedStatement: Sendable {
    private let target: CancelTarget
    /// The session's socket under a number of its own: it stays open when the session is closed.
    private let witness: Int32

    /// - Returns: `nil` when there is no socket.
    init?(target: CancelTarget, socket: Int32) {
        witness = socket < 0 ? -1 : fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard witness >= 0 else { return nil }
        self.target = target
    }

    deinit { close(witness) }

    /// Asks until the server has hung up, or the time is over.
    nonisolated(nonsending) func run(on loop: EventLoop, until deadline: MonotonicInstant) async {
        let slot = loop.makeSlot()
        var pause = Duration.milliseconds(50)
        while MonotonicInstant.now < deadline {
            _ = await CancelRequest(target: target, loop: loop).run(until: deadline)
            let next = min(deadline, .now.advanced(by: pause))
            if await hasHungUp(loop, slot, until: next) { return }
            // The session's goodbye may not have been written. What comes instead tells the server as much.
            _ = shutdown(witness, Int32(SHUT_WR))
            pause *= 2
        }
    }

    /// Throws away what the server still says.
    private nonisolated(nonsending) func hasHungUp(
        _ loop: EventLoop, _ slot: WaitSlot, until limit: MonotonicInstant
    ) async -> Bool {
        var scrap = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = recv(witness, &scrap, scrap.count, Int32(MSG_DONTWAIT))
            if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { return true }
            if count > 0, MonotonicInstant.now < limit {
                // A long answer must not keep the others of this loop waiting.
                await Task.yield()
                continue
            }
            do throws(LoopError) {
                try await loop.wait(slot, witness, for: .readable, until: limit)
            } catch {
                // A loop that has stopped asks nobody any more.
                return error != .timedOut
            }
        }
    }
}
