import RigModel

/// Sessions of the server that may be just ending: their connection was closed, or failed to connect, a moment ago, and the server
/// has not been seen without them since (`probe/session-ended`). A mergeable fold; 24 bytes for each connection that was closed.
struct SessionLeavings: Sendable {
    private struct Leaving: Sendable {
        var time: Int64
        var pid: Int64?
    }

    /// No system gives the number of a process to another one sooner.
    private static let numbersReused: Int64 = 20_000_000_000

    private var leavings: [Leaving] = []
    /// When the server was seen without a session that it had had, by its process.
    private var gone: [Int64: [Int64]] = [:]

    mutating func observe(_ event: Event) {
        if event.process == .pool, event.function == "connection-closed" || event.function == "connect-failed" {
            leavings.append(Leaving(time: event.time, pid: event.value["pid"]?.intValue))
        } else if event.process == .probe, event.function == "session-ended" {
            for pid in event.value["pids"]?.arrayValue ?? [] {
                if let pid = pid.intValue { gone[pid, default: []].append(event.time) }
            }
        }
    }

    mutating func merge(_ other: SessionLeavings) {
        leavings = leavings.isEmpty ? other.leavings : (leavings + other.leavings).sorted { $0.time < $1.time }
        gone.merge(other.gone) { ($0 + $1).sorted() }
    }

    /// How many sessions may have been ending at a time; stops counting when there are enough.
    ///
    /// - Parameter grace: how long a session may take to end. That time does not run while the machine stands still, and is
    ///   longer by twice the time of a fault since.
    func ending(at time: Int64, enough: Int64, grace: Int64, _ surroundings: Surroundings) -> Int64 {
        let longest =
            grace + 2 * min(surroundings.faultTime(from: 0, to: time), 1 << 60)
            + surroundings.stalled(from: 0, to: time)
        var count: Int64 = 0
        for left in leavings.reversed() where left.time <= time {
            if time - left.time > longest || count >= enough { break }
            if !isGone(left, at: time), Self.judgedTime(from: left.time, to: time, surroundings) <= grace { count += 1 }
        }
        return count
    }

    /// The time between two times, less that in which a server may not notice that its client left.
    static func judgedTime(from: Int64, to: Int64, _ surroundings: Surroundings) -> Int64 {
        to - from - 2 * min(surroundings.faultTime(from: from, to: to), 1 << 60)
            - surroundings.stalled(from: from, to: to)
    }

    /// The session may have ended before the pool closed its connection, but not long before that: then it was another one's.
    private func isGone(_ left: Leaving, at time: Int64) -> Bool {
        guard let pid = left.pid, let times = gone[pid] else { return false }
        return times.contains { $0 <= time && $0 > left.time - Self.numbersReused }
    }
}
