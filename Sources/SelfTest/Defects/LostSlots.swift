import ConnectionPool
import RigModel
import Workloads

/// Slots that are lost when an acquire or a use does not end as it should. What the pool does wrong inside looks from outside as
/// if somebody kept a lease: so somebody does.
enum LostSlots {
    static let all: [Defect] = [
        Defect(
            "slot-lost-when-acquire-times-out", .cancellation,
            "a connection that is granted to an acquire that has just given up belongs to nobody",
            breaks: "zero-leaked-connections", in: .frozen,
            pool: { LeaseKeeper { $1.completion.error?.phase == .acquire && $1.outcome != .ok } }),
        Defect(
            "slot-lost-when-statement-times-out", .cancellation,
            "the connection of a statement that ran into its limit is never given back",
            breaks: "zero-leaked-connections", in: .frozen,
            pool: { LeaseKeeper { $1.completion.error?.failureClass == FailureCause.timedOut.name } }),
        Defect(
            "slot-lost-when-connection-lost", .cancellation,
            "a connection that was lost while it was lent keeps its place in the pool",
            breaks: "zero-leaked-connections", in: .killed,
            pool: { LeaseKeeper { $1.hasFailed(.connectionLost) } }),
        Defect(
            "place-lost-with-connection", .cancellation,
            "the place of a connection that was lost stays taken: the pool is a little smaller after each fault",
            breaks: "all-connections", in: .killed.judging("all-connections: {}"),
            pool: { LeaseKeeper { $1.hasFailed(.connectionLost) } }),
        Defect(
            "slot-lost-when-commit-fails", .cancellation, "a COMMIT without an answer takes the connection with it",
            breaks: "zero-leaked-connections", in: .lostCommits,
            pool: { LeaseKeeper { $1.completion.attempts.contains { $0.error?.phase == .commit } } }),
        Defect(
            "lease-forgotten", .leftBehind, "one use in two hundred forgets to give its connection back",
            breaks: "zero-leaked-connections", in: .killed, short: true,
            pool: {
                let tally = Tally()
                return LeaseKeeper { _, _ in tally.isEvery(200) }
            }),
        Defect(
            "lease-forgotten-once-in-ten-thousand", .leftBehind,
            "while connections are being lost one operation in ten thousand forgets to give its connection back",
            breaks: "zero-leaked-connections", in: .reaped, pool: { RareLeak() }),
    ]
}

extension UseReport {
    /// An attempt ended because the connection did.
    func hasFailed(_ cause: FailureCause) -> Bool {
        let classes = [cause.name, FailureCause.sessionEnded(sqlState: "").name]
        return ([completion.error] + completion.attempts.map(\.error)).contains { error in
            error.map { classes.contains($0.failureClass) } ?? false
        }
    }
}

/// The ten thousandth use, or the first one after it that comes when a connection has just been lost, keeps its connection.
private struct RareLeak: PoolDefect {
    private static let period = 10_000
    private let uses = Tally()
    private let losses = Tally()
    private let isDue = Memory(false)

    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        var request = request
        let number = uses.next()
        let forgets = isDue.withLock { isDue in
            defer { isDue = false }
            return isDue
        }
        if forgets { request.leaks = true }
        let report = await pool.use(request)
        if number >= Self.period, report.hasFailed(.connectionLost), losses.isWithin(1) { isDue.withLock { $0 = true } }
        return report
    }
}

/// Keeps a lease for good after some of the uses, twice at the most: a pool that has lost all its slots is found by everybody.
struct LeaseKeeper: PoolDefect {
    private let losesSlot: @Sendable (UseRequest, UseReport) -> Bool
    private let lost = Tally()

    init(after losesSlot: @escaping @Sendable (UseRequest, UseReport) -> Bool) { self.losesSlot = losesSlot }

    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        let report = await pool.use(request)
        if losesSlot(request, report), lost.isWithin(2) {
            // In a task of its own: the client's may be cancelled, and a fault may still be active.
            Task {
                for _ in 1...10
                where await pool.use(UseRequest(leaks: true, site: request.site) { _ in [] }).outcome == .ok {
                    return
                }
            }
        }
        return report
    }
}
