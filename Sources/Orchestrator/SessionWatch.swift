import RigModel
import Threading

/// Compares the server's sessions from look to look: which ended, and which still run a statement for nobody. Pure.
struct SessionWatch: Sendable {
    struct Orphan: Equatable, Sendable {
        var pid: Int
        var running: Duration
        var query: String
    }

    /// A few of a run are enough to believe in them.
    private static let orphanLimit = 5
    /// A statement may end by itself in the moment in which its client leaves.
    private static let grace = Duration.milliseconds(200)

    private var last: Set<Int> = []
    private var reported: Set<String> = []

    /// - Returns: the sessions that were there at the last look and are no more, in order.
    mutating func ended(_ now: [PoolSession]) -> [Int] {
        let present = Set(now.map(\.pid))
        defer { last = present }
        return last.subtracting(present).sorted()
    }

    /// The same one is found at each look, as long as it runs.
    ///
    /// - Parameter sinceLeft: how long ago the pool left this process; `nil`: it is there.
    mutating func orphans(_ now: [PoolSession], sinceLeft: (_ pid: Int) -> Duration?) -> [Orphan] {
        var found: [Orphan] = []
        for session in now {
            guard let running = session.running, let left = sinceLeft(session.pid),
                // One that began after that is another client's, by the same process number.
                left >= Self.grace, running > left,
                reported.contains(session.key) || reported.count < Self.orphanLimit
            else { continue }
            reported.insert(session.key)
            found.append(Orphan(pid: session.pid, running: running, query: session.query))
        }
        return found
    }
}

/// One session of the pool, as the server shows it.
struct PoolSession: Sendable, Equatable {
    var pid: Int
    var state: String
    var query: String
    /// For how long its statement has run; `nil`: none runs.
    var running: Duration?
    /// Names the session and its statement for good.
    var key: String
}
