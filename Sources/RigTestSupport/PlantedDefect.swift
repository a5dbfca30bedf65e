import ConnectionPool
package import PoolSimulator
import Threading

/// A defect that can be planted between the pool's state machine and the simulation, in the shape of a bug that shipped in a
/// released pool (the shapes and their counts are those of 42 verified bugs; the issues are examples).
package enum PlantedDefect: String, Sendable, CaseIterable {
    // Cancellation or timeout interrupts an acquire, a check or a release: a slot is lost (15 of 42 bugs).

    /// A borrower that is cancelled at the hand-over keeps what it was granted (asyncpg #464, psycopg #1123).
    case cancelledGrantIsKept
    /// A cancelled borrower stays in the queue (psycopg #509).
    case cancelledWaiterStays
    /// A check that is interrupted never ends for the pool (sqlx #4349).
    case interruptedCheckKeepsSlot
    /// A reset that is interrupted never ends for the pool (redis-py #4121).
    case interruptedResetKeepsSlot
    /// A failed connect costs its slot for good (redis-py #4298).
    case failedConnectKeepsSlot
    /// What a late borrower would have got is thrown away (sqlx #3132).
    case lateGrantIsDropped

    // Dead connections are handed out, or the pool does not recover from an outage (7).

    /// A proven loss retires only the connection that was found dead (deadpool #191).
    case lossTellsNothing
    /// The pool gives up for good after a few failed connects (psycopg #370).
    case givesUpAfterOutage
    /// What is open at a failover is lent on.
    case retiredIsLent

    // The state of a transaction or session is kept across leases (6).

    /// An open transaction goes to the next borrower (SQLAlchemy #6652).
    case openTransactionIsLent
    /// A reset that failed counts as done.
    case failedResetIsTrusted
    /// A connection that must not be used again is.
    case unusableIsLent

    // A race or deadlock at the start (5).

    /// Whoever waits for the warm-up is not told.
    case warmUpIsNotTold

    // More connections are opened than allowed (4).

    /// One more than the limit (pgx #1780).
    case oneTooMany
    /// A pool that was made smaller goes on as it was.
    case shrinkIsIgnored
    /// As many connects at once as there are waiters (deadpool #201: all cores spin after a restart).
    case connectStorm

    // A wait without a bound (2).

    /// An acquire does not time out.
    case acquireNeverTimesOut
    /// A check on a frozen server has no limit (pgx #2394).
    case checkHasNoLimit
    /// A close waits for a check on a frozen server (asyncpg #1356).
    case closeWaitsForChecks

    // One each.

    /// The lifetime is not enforced (psycopg #584, #849, #1018).
    case lifetimeIsIgnored
    /// Idle connections stay for ever (here, while the checks in the background count as use).
    case idleTimeIsIgnored
    /// A close returns while sessions are still there.
    case closeLeavesSessions
    /// The background work dies, and the pool silently stops (psycopg #1315).
    case workerDies

    // Order and books.

    /// The last waiter is served first (Go #31708: waiters at random; asyncpg #1247: starved).
    case lastWaiterFirst
    /// Two waiters get the same connection.
    case lentTwice
    /// Whoever comes back from a dead connection goes to the end of the queue.
    case placeInLineIsLost
    /// Acquires that were cancelled at the hand-over count as served.
    case countsWrongly
    /// A suspected leak that came back is not cleared (HikariCP #465: users ask whether it is real).
    case leakIsNotCleared
    /// The breaker opens while connections are open.
    case breakerIsTooEager

    /// Makes the machine that has it.
    package var machine: MachineMaker<DefectiveMachine> {
        { configuration, seed, now in DefectiveMachine(self, configuration, seed: seed, now: now) }
    }
}
