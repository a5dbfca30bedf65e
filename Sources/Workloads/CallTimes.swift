import RigModel
import Threading

/// How long each call of one attempt took, seen from outside the pool.
struct CallTimes {
    private var startedAt = MonotonicInstant(nanoseconds: 0)
    private var releaseBeganAt: MonotonicInstant?
    private(set) var acquire: Duration?
    private(set) var longestQuery: Duration?
    private(set) var release: Duration?
    private(set) var connection: Int?
    private(set) var backendPID: Int?

    init() {}

    /// Of an attempt that was measured elsewhere.
    init(acquire: Duration?, query: Duration?, release: Duration?, connection: Int?, backendPID: Int?) {
        self.acquire = acquire
        longestQuery = query
        self.release = release
        self.connection = connection
        self.backendPID = backendPID
    }

    mutating func begin(_ now: MonotonicInstant) { startedAt = now }

    mutating func endAcquire(_ now: MonotonicInstant) { acquire = startedAt.duration(to: now) }

    mutating func note(connection: Int, backendPID: Int?) {
        self.connection = connection
        self.backendPID = backendPID
    }

    mutating func addQuery(_ duration: Duration) { longestQuery = max(longestQuery ?? .zero, duration) }

    mutating func beginRelease(_ now: MonotonicInstant) { releaseBeganAt = now }

    /// The attempt is over. Without a connection the whole time was the acquire.
    mutating func end(_ now: MonotonicInstant) {
        if acquire == nil { acquire = startedAt.duration(to: now) }
        if let releaseBeganAt { release = releaseBeganAt.duration(to: now) }
    }
}

extension Completion {
    /// Adds the calls of one more attempt: the longest of each sort stays.
    mutating func absorb(_ calls: CallTimes, attempt: Int) {
        func longer(_ a: Int64?, _ b: Duration?) -> Int64? { b.map { max(a ?? 0, $0.nanoseconds) } ?? a }
        acquireNanoseconds = longer(acquireNanoseconds, calls.acquire)
        queryNanoseconds = longer(queryNanoseconds, calls.longestQuery)
        releaseNanoseconds = longer(releaseNanoseconds, calls.release)
        guard let connection = calls.connection else { return }
        self.attempt = attempt
        self.connection = connection
        backendPID = calls.backendPID
    }
}
