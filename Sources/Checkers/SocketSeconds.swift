import RigModel

/// The least and the most of the pool's connections and of its process's sockets in each second. A mergeable fold; 60 bytes
/// for each second.
struct SocketSeconds: Sendable {
    /// Neighbouring seconds in which every sample of the one lay beyond every sample of the other.
    struct Difference: Sendable {
        var from: Int64
        var to: Int64
        var tooMany: Bool
        /// In the last second.
        var sockets: Int64
        var connections: Int64
        /// In the second with the fewest: how many too many, or too few.
        var least: Int64
        /// A gauge and a sample of the first second, and of the last.
        var events: [Int]
    }

    private struct Second: Sendable {
        var fewestOpen = Int64.max
        /// Not idle: somebody would notice that they are dead.
        var fewestBusy = Int64.max
        /// Open or being opened.
        var mostConnections = Int64.min
        var fewestSockets = Int64.max
        var mostSockets = Int64.min
        /// The first of each.
        var gauge = Int.max
        var sample = Int.max

        /// Both were sampled.
        var isComplete: Bool { mostConnections != .min && mostSockets != .min }

        mutating func merge(_ other: Second) {
            fewestOpen = min(fewestOpen, other.fewestOpen)
            fewestBusy = min(fewestBusy, other.fewestBusy)
            mostConnections = max(mostConnections, other.mostConnections)
            fewestSockets = min(fewestSockets, other.fewestSockets)
            mostSockets = max(mostSockets, other.mostSockets)
            gauge = min(gauge, other.gauge)
            sample = min(sample, other.sample)
        }
    }

    private var seconds: [Int64: Second] = [:]

    mutating func observe(_ event: Event) {
        var seen = Second()
        if event.process == .pool, event.function == "gauges", let open = event.value["open"]?.intValue {
            seen.fewestOpen = open
            seen.fewestBusy = open - (event.value["idle"]?.intValue ?? 0)
            seen.mostConnections = open + (event.value["connecting"]?.intValue ?? 0)
            seen.gauge = event.index
        } else if event.process == .probe, event.function == "sample",
            let sockets = event.value["client_sockets"]?.intValue
        {
            seen.fewestSockets = sockets
            seen.mostSockets = sockets
            seen.sample = event.index
        } else {
            return
        }
        seconds[event.time / 1_000_000_000, default: Second()].merge(seen)
    }

    mutating func merge(_ other: SocketSeconds) {
        seconds.merge(other.seconds) { mine, theirs in
            var both = mine
            both.merge(theirs)
            return both
        }
    }

    /// Seconds in which both were sampled.
    var compared: Int { seconds.values.count { $0.isComplete } }

    /// Seconds without samples of both that a difference may outlive: who looks less often saw two moments, and no time.
    private static let longestGap: Int64 = 1

    /// In the order of time. A second without samples of both neither ends a difference nor adds to it; two on end do.
    ///
    /// - Parameter exceptIdle: idle connections may lack a socket.
    func differences(exceptIdle: Bool) -> [Difference] {
        var found: [Difference] = []
        var running: Difference?
        for number in seconds.keys.sorted() {
            guard let second = seconds[number], second.isComplete else { continue }
            let tooMany = second.fewestSockets > second.mostConnections
            let wanted = exceptIdle ? second.fewestBusy : second.fewestOpen
            guard tooMany || second.mostSockets < wanted else {
                if let running { found.append(running) }
                running = nil
                continue
            }
            let isApart = running.map { number - $0.to / 1_000_000_000 > Self.longestGap } ?? false
            if let earlier = running, earlier.tooMany != tooMany || isApart {
                found.append(earlier)
                running = nil
            }
            let least = tooMany ? second.fewestSockets - second.mostConnections : wanted - second.mostSockets
            running = Difference(
                from: running?.from ?? number * 1_000_000_000, to: (number + 1) * 1_000_000_000, tooMany: tooMany,
                sockets: tooMany ? second.fewestSockets : second.mostSockets,
                connections: tooMany ? second.mostConnections : second.fewestOpen,
                least: min(least, running?.least ?? .max),
                events: (running.map { Array($0.events.prefix(2)) } ?? []) + [second.gauge, second.sample])
        }
        if let running { found.append(running) }
        return found
    }
}
