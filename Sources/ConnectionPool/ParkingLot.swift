/// The acquires that wait, as the shell sees them: those that sleep, and answers for those that do not sleep yet.
struct ParkingLot: Sendable {
    /// The answer to a waiting acquire.
    enum Grant: Sendable {
        case lent(Lent)
        case refused(PoolError)
    }

    typealias Continuation = CheckedContinuation<Grant, Never>

    private var parked: [Int: Continuation] = [:]
    private var mailbox: [Int: Grant] = [:]

    /// Waiters and answers that have not met.
    var count: Int { parked.count + mailbox.count }

    /// A waiter is about to sleep.
    ///
    /// - Returns: its answer, when that has come already: it must not sleep then.
    mutating func park(_ waiter: Int, _ continuation: Continuation) -> Grant? {
        if let grant = mailbox.removeValue(forKey: waiter) { return grant }
        parked[waiter] = continuation
        return nil
    }

    /// An answer for a waiter.
    ///
    /// - Returns: whom to wake with it; `nil` when the waiter does not sleep yet, and will find it.
    mutating func deliver(_ grant: Grant, to waiter: Int) -> Continuation? {
        if let continuation = parked.removeValue(forKey: waiter) { return continuation }
        mailbox[waiter] = grant
        return nil
    }
}

/// A connection that is lent, and the pool's name for it.
public struct Lent: Sendable {
    public let handle: ConnectionHandle
    public let connection: any DriverConnection
    /// How long before it was lent it had proven to be alive.
    let idleNanoseconds: UInt64

    var looksAlive: Bool { connection.looksAlive(idleNanoseconds: idleNanoseconds) }
}
