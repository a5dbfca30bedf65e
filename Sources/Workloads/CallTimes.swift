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
    /// When the connection was handed out, and when it had been given back.
    private(set) var leasedAt: MonotonicInstant?
    private(set) var returnedAt: MonotonicInstant?
    /// What the client did beside the operation, in the words of the history.
    private(set) var notes: [JSONValue.Member] = []

    init() {}

    /// Of an attempt that was measured elsewhere.
    init(
        acquire: Duration?, query: Duration?, release: Duration?, connection: Int?, backendPID: Int?,
        leasedAt: MonotonicInstant? = nil, returnedAt: MonotonicInstant? = nil
    ) {
        self.leasedAt = leasedAt
        self.returnedAt = returnedAt
        self.acquire = acquire
        longestQuery = query
        self.release = release
        self.connection = connection
        self.backendPID = backendPID
    }

    mutating func begin(_ now: MonotonicInstant) { startedAt = now }

    mutating func endAcquire(_ now: MonotonicInstant) {
        acquire = startedAt.duration(to: now)
        leasedAt = now
    }

    mutating func note(_ name: String, _ value: JSONValue) { notes.append(.init(name, value)) }

    mutating func note(connection: Int, backendPID: Int?) {
        self.connection = connection
        self.backendPID = backendPID
    }

    mutating func addQuery(_ duration: Duration) { longestQuery = max(longestQuery ?? .zero, duration) }

    mutating func beginRelease(_ now: MonotonicInstant) { releaseBeganAt = now }

    /// The attempt is over. Without a connection the whole time was the acquire.
    mutating func end(_ now: MonotonicInstant) {
        if acquire == nil { acquire = startedAt.duration(to: now) }
        if let releaseBeganAt {
            release = releaseBeganAt.duration(to: now)
            returnedAt = now
        }
    }
}

extension Completion {
    /// Adds the calls of one more attempt: the longest of each sort stays. ``leasedAt`` and ``returnedAt`` are on the monotonic
    /// clock here: who records them counts from the run's start.
    mutating func absorb(_ calls: CallTimes, attempt: Int) {
        func longer(_ a: Int64?, _ b: Duration?) -> Int64? { b.map { max(a ?? 0, $0.nanoseconds) } ?? a }
        acquireNanoseconds = longer(acquireNanoseconds, calls.acquire)
        queryNanoseconds = longer(queryNanoseconds, calls.longestQuery)
        releaseNanoseconds = longer(releaseNanoseconds, calls.release)
        for note in calls.notes { add(note) }
        guard let connection = calls.connection else { return }
        leasedAt = calls.leasedAt.map { Int64(clamping: $0.nanoseconds) }
        returnedAt = calls.returnedAt.map { Int64(clamping: $0.nanoseconds) }
        self.attempt = attempt
        self.connection = connection
        backendPID = calls.backendPID
    }

    /// Adds a note; a later one of the same name takes its place.
    mutating func add(_ note: JSONValue.Member) {
        var members: [JSONValue.Member] = []
        if case .object(let present) = notes { members = present.filter { $0.key != note.key } }
        members.append(note)
        notes = .object(members)
    }

    /// What was on the monotonic clock is counted from the run's start.
    mutating func count(from start: MonotonicInstant) {
        leasedAt = leasedAt.map { $0 - Int64(clamping: start.nanoseconds) }
        returnedAt = returnedAt.map { $0 - Int64(clamping: start.nanoseconds) }
        for index in attempts.indices {
            attempts[index].leasedAt = attempts[index].leasedAt.map { $0 - Int64(clamping: start.nanoseconds) }
        }
    }
}
