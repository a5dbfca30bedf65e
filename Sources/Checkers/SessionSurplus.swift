import RigModel

/// Times in which the server had more sessions of the pool, in every sample of each second, than the pool ever counted open or being
/// opened in that second: connections that the pool forgot while it went on. A mergeable fold; 80 bytes for each second.
struct SessionSurplus: Sendable {
    struct Span: Sendable {
        var from: Int64
        var to: Int64
        /// The first and the last sample.
        var first: Int
        var last: Int
        /// In the last second.
        var sessions: Int64
        var connections: Int64
    }

    private struct Second: Sendable {
        var fewestSessions = Int64.max
        var mostConnections = Int64.min
        var firstSample = Int.max
        var lastSample = -1

        mutating func merge(_ other: Second) {
            fewestSessions = min(fewestSessions, other.fewestSessions)
            mostConnections = max(mostConnections, other.mostConnections)
            firstSample = min(firstSample, other.firstSample)
            lastSample = max(lastSample, other.lastSample)
        }
    }

    private static let second: Int64 = 1_000_000_000
    /// How long a session may be there without a connection of the pool.
    static let grace: Int64 = 5_000_000_000

    private var seconds: [Int64: Second] = [:]
    private var leavings = SessionLeavings()
    private var sight = SessionSight()
    /// The gauges told of a connection: not every pool has gauges.
    private var tellsConnections = false

    mutating func observe(_ event: Event) {
        sight.observe(event)
        leavings.observe(event)
        var seen = Second()
        if event.process == .pool, event.function == "gauges", let open = event.value["open"]?.intValue {
            seen.mostConnections = open + (event.value["connecting"]?.intValue ?? 0)
            if open > 0 { tellsConnections = true }
        } else if event.process == .probe, event.function == "sample",
            let sessions = event.value["server_sessions"]?.intValue
        {
            seen.fewestSessions = sessions
            (seen.firstSample, seen.lastSample) = (event.index, event.index)
        } else {
            return
        }
        seconds[event.time / Self.second, default: Second()].merge(seen)
    }

    mutating func merge(_ other: SessionSurplus) {
        sight.merge(other.sight)
        leavings.merge(other.leavings)
        tellsConnections = tellsConnections || other.tellsConnections
        seconds.merge(other.seconds) { mine, theirs in
            var both = mine
            both.merge(theirs)
            return both
        }
    }

    /// Those that lasted longer than the grace, in the order of time; none where the sessions are not the server's. A session
    /// whose connection was just closed counts as the pool's, and the time of faults and stalls does not count.
    func spans(_ surroundings: Surroundings) -> [Span] {
        guard sight.isOfServer, tellsConnections else { return [] }
        var found: [Span] = []
        var running: Span?
        // A second without samples of both neither ends a span nor adds to it.
        for (number, second) in seconds.sorted(by: { $0.key < $1.key })
        where second.lastSample >= 0 && second.mostConnections != .min {
            let end = (number + 1) * Self.second
            let surplus = second.fewestSessions - second.mostConnections
            let isOver =
                surplus > 0
                && leavings.ending(at: end, enough: surplus, grace: Self.grace, surroundings) < surplus
            if isOver {
                running = Span(
                    from: running?.from ?? number * Self.second, to: end, first: running?.first ?? second.firstSample,
                    last: second.lastSample, sessions: second.fewestSessions, connections: second.mostConnections)
            } else if let span = running {
                found.append(span)
                running = nil
            }
        }
        if let running { found.append(running) }
        return found.filter {
            SessionLeavings.judgedTime(from: $0.from, to: $0.to, surroundings) > Self.grace
        }
    }
}
