import ConnectionPool
import Threading

/// Somebody who wants a connection: the world's own idea of their place in line.
struct SimulatedWaiter {
    /// The machine's name for the wait.
    var ticket: Int
    /// Counts up with each borrower; kept by one who comes back from a connection that was dead.
    let arrival: Int
    let arrivedAt: MonotonicInstant
    let deadline: MonotonicInstant
    /// The event loop; -1 for none, and for one who came back to a place in the middle.
    var loop: Int32
    let line: UInt
}

/// A connection in somebody's hands.
struct SimulatedLease {
    let handle: ConnectionHandle
    /// The machine's name for the wait that led to it; -1 when there was none.
    let ticket: Int
    let arrival: Int
    let arrivedAt: MonotonicInstant
    let deadline: MonotonicInstant
    let loop: Int32
    let line: UInt
    let since: MonotonicInstant
    /// Its borrower was cancelled after the answer.
    var isCancelled = false
    var toldLoss = false
    var leakSuspected = false
    var statementCancelled = false

    var wasQueued: Bool { ticket >= 0 }
}

/// What the machine still has to tell about a lease that ends.
struct EndingLease {
    let handle: ConnectionHandle
    let line: UInt
    /// It was suspected to be leaked, and came back.
    var mustClear: Bool
    /// It died.
    var mustTellLeak: Bool
}

/// What the world knows about the connection in a slot.
struct SimulatedConnection {
    enum State: UInt8 { case none, connecting, idle, leased, checking, resetting, closing }

    var state = State.none
    var serial = -1
    /// Nothing that is sent to it is ever answered.
    var isDead = false
    /// It has an open transaction.
    var isDirty = false
    /// It must not be lent again.
    var isSpoiled = false
    /// The pool has proof that it is dead.
    var isLost = false
    /// Its call was cancelled or aborted: it ends before time passes.
    var isHurried = false
    /// It came back from a borrower who had not used it: its proof is as old as it was.
    var cameBackUntaken = false
    var loop: Int32 = -1
    var openedAt = MonotonicInstant(nanoseconds: 0)
    var provenAt = MonotonicInstant(nanoseconds: 0)
    /// When it was opened or last came back from a borrower who had used it.
    var usedAt = MonotonicInstant(nanoseconds: 0)
    /// Its place in the order of these times.
    var useTurn = 0
    /// When it became idle, be it from a check.
    var idleSince = MonotonicInstant(nanoseconds: 0)
    /// The transition that opened it.
    var openedAsOf = 0
    /// The transition at which its last proof was asked for, and at which its running call was.
    var provenAsOf = 0
    var askedAsOf = 0
    var callBegunAt = MonotonicInstant(nanoseconds: 0)
    var callDeadline = MonotonicInstant.distantFuture
}
