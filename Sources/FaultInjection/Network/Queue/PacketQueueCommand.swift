import CLinux
import Glibc
import HostSystem
import Threading

/// Not for people: the process that decides about packets, in the network where the rules are. It ends with the end of its
/// standard input, which is the rig's end too, however that comes about; what it holds then goes on.
package enum PacketQueueCommand {
    package static let name = "__nfqueue"

    /// How old the counts may be that the rig reads.
    private static let reportEvery: Int64 = 20_000_000

    /// - Parameter arguments: of ``PacketQueueOrder``; or `--probe`, which only tries to listen.
    package static func main(_ arguments: [String]) -> Int32 {
        for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { signal(number, SIG_IGN) }
        let isProbe = arguments == ["--probe"]
        let probe = PacketQueueOrder(queues: [0], mark: 0, plan: PacketFate.Plan(), seed: 0, folder: "")
        guard let order = isProbe ? probe : PacketQueueOrder(arguments) else { return 2 }
        do {
            let queue = try PacketQueue(order)
            if !isProbe { serve(queue) }
            return 0
        } catch {
            try? SmallFile.writeAll(Array("\(error)\n".utf8), to: STDERR_FILENO, path: "standard error")
            return 1
        }
    }

    private static func serve(_ queue: PacketQueue) {
        report(queue.counts)
        var reported = queue.counts
        var reportAt = Int64(MonotonicInstant.now.nanoseconds)
        while true {
            let now = Int64(MonotonicInstant.now.nanoseconds)
            queue.release(at: now)
            if queue.counts != reported, now >= reportAt {
                report(queue.counts)
                reported = queue.counts
                reportAt = now + reportEvery
            }
            var wakeAt = queue.nextDue ?? .max
            if queue.counts != reported { wakeAt = min(wakeAt, reportAt) }
            if isOver(waitingFor: queue.descriptor, until: wakeAt) { break }
            queue.receive()
        }
        queue.receive()
        queue.releaseAll()
        report(queue.counts)
    }

    /// Waits for packets, the time, or the end of the input.
    ///
    /// - Returns: whether the input has ended.
    private static func isOver(waitingFor descriptor: Int32, until time: Int64) -> Bool {
        var polled = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
        ]
        // poll(2) counts in milliseconds, which is too coarse here.
        clinux_poll(&polled, 2, time == .max ? -1 : max(0, time - Int64(MonotonicInstant.now.nanoseconds)))
        guard polled[1].revents != 0 else { return false }
        var byte: UInt8 = 0
        return read(STDIN_FILENO, &byte, 1) <= 0
    }

    /// Over the line before: standard output is a file in memory that the rig looks into.
    private static func report(_ counts: PacketCounts) {
        let bytes = Array(counts.line.utf8)
        _ = bytes.withUnsafeBytes { pwrite(STDOUT_FILENO, $0.baseAddress, $0.count, 0) }
    }
}
