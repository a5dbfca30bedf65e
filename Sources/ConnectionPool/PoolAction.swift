public import Threading

/// A connection of the pool: its place, and a serial number that no other connection ever has.
public struct ConnectionHandle: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let slot: Int
    public let serial: Int

    public init(slot: Int, serial: Int) {
        self.slot = slot
        self.serial = serial
    }

    public var description: String { "#\(serial)" }

    /// In the order in which they were opened.
    public static func < (a: ConnectionHandle, b: ConnectionHandle) -> Bool { a.serial < b.serial }
}

/// What the shell must do after it has left the lock.
public enum PoolAction: Sendable, Equatable {
    /// Open a connection; answer with `connected` or `connectFailed`.
    case connect(ConnectionHandle, deadline: MonotonicInstant)
    /// Prove that the server still answers; answer with `checked`.
    case check(ConnectionHandle, deadline: MonotonicInstant)
    /// Bring the session back to a clean state; answer with `wasReset`.
    case reset(ConnectionHandle, deadline: MonotonicInstant)
    /// Close it; answer with `disconnected`.
    case close(ConnectionHandle, CloseReason, deadline: MonotonicInstant)
    /// Ask the server to end the statement that its borrower runs, so that the borrower comes back. Needs no answer.
    case cancelStatement(ConnectionHandle, deadline: MonotonicInstant)
    /// Cut it under its borrower, and forget it: the borrower's object frees it.
    case cut(ConnectionHandle)
    /// Cut it under the pool's own check, reset or close, which ends soon then and still answers.
    case abort(ConnectionHandle)
    /// Give up a connect in flight; it still answers.
    case cancelConnect(ConnectionHandle)
    case grant(waiter: Int, ConnectionHandle)
    case refuse(waiter: Int, PoolError)
    case notice(PoolNotice)
    /// As many connections as ``PoolConfiguration/idleTarget`` says are open, for the first time.
    case filled
    /// Nothing is left: `close` is done.
    case closed(leasesCut: Int)
}

/// Why the pool closed a connection.
public enum CloseReason: String, Sendable {
    case maxLifetime = "max-lifetime"
    case maxIdle = "max-idle"
    case maxIdleTime = "max-idle-time"
    /// Found dead.
    case lost
    /// Out of step after a timeout or a cancellation, or its reset failed.
    case unusable
    /// The lease died without a release.
    case leaked
    /// The pool was made smaller.
    case resized
    /// Everything that was open then was to be replaced.
    case retired
    case poolClosed = "pool-closed"
}

/// Something that observers may want to know; not needed by the pool itself.
public enum PoolNotice: Sendable, Equatable {
    case leakSuspected(ConnectionHandle, site: BorrowSite, held: Duration)
    /// A suspected leak came back after all.
    case leakCleared(ConnectionHandle)
    /// A lease died unreleased.
    case leaked(ConnectionHandle, site: BorrowSite)
    case closing(ConnectionHandle, CloseReason)
}

/// What the borrower says about a connection that it gives back.
public enum ReleaseCondition: Sendable, Equatable {
    /// Idle outside a transaction.
    case clean
    /// Alive, with an open transaction.
    case needsReset
    /// Must not be used again.
    case unusable
    /// Not given back at all: the lease died.
    case leaked
}
