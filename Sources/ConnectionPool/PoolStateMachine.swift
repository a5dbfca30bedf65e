import RigModel
public import Threading

/// The decisions of the pool. Pure: no lock, no clock, no I/O. Each event is a mutating method that is told the time, which
/// never goes back; what must be done about it collects in ``takeActions()``.
///
/// A connection's life, and who moves it on:
///
/// ```
/// connecting ──> idle <──> leased ──> resetting ──> idle
///      │          │ ^         │           │
///      │          v │         │           │
///      │        checking      │           │
///      v          v           v           v
///    (gone)     closing ──> (gone)     closing
/// ```
///
/// Acquires wait on the pool, never on one connect: whoever is first in line gets whichever connection is ready first,
/// and a cancelled acquire cancels no connect.
public struct PoolStateMachine: Sendable {
    enum SlotState: Sendable {
        /// No connection. Next: connecting.
        case free
        /// Being opened. Next: idle, leased, checking, closing, free.
        case connecting
        /// Being proven alive. Next: idle, leased, checking (again, after another loss), closing.
        case checking
        /// Ready. Next: leased, checking, closing.
        case idle
        /// Held by a borrower. Next: idle, leased (by the next waiter), checking, resetting, closing, free (cut).
        case leased
        /// Being rolled back. Next: idle, leased, checking, closing.
        case resetting
        /// Being closed. Next: free.
        case closing
    }

    struct Slot: Sendable {
        var state = SlotState.free
        var serial = -1
        /// When it entered its state.
        var since = MonotonicInstant(nanoseconds: 0)
        /// When it was opened or last came back from a borrower who used it; what the pool does on it itself is no use.
        var usedAt = MonotonicInstant(nanoseconds: 0)
        /// Its place in the order of these times. Counts up with each.
        var useTurn = 0
        /// When it last proved to be alive: opened, checked, reset, or given back clean.
        var provenAt = MonotonicInstant(nanoseconds: 0)
        var expiresAt = MonotonicInstant.distantFuture
        /// The pool's generation when its last proof was asked for. Older than the pool's: suspect.
        var generation = 0
        /// The pool's generation when the running check or reset was sent.
        var askedAtGeneration = 0
        /// It has answered something since it was opened.
        var hasAnswered = false
        /// The pool's count of troubles when it was opened.
        var openedAfterTroubles = 0
        /// When it is due for a check, after it last proved to be alive.
        var checkIntervalNanoseconds: UInt64 = 0
        /// Its check takes so long that nobody should count on it.
        var isSlow = false
        /// Who holds it, and since when they waited.
        var turn = Turn(ticket: -1, arrivedAt: MonotonicInstant(nanoseconds: 0))
        var wasQueued = false
        var site: BorrowSite?
        var leakReported = false
        /// Its borrower saw it die.
        var isLost = false
        /// The event loop on which it was used last; -1 for none.
        var affinity: Int32 = -1
    }

    enum Phase: Sendable, Equatable {
        case running
        /// Next: cut, closed. `cancelAt`: when statements that still run are cancelled; `nil` once they were.
        case closing(cancelAt: MonotonicInstant?, cutAt: MonotonicInstant)
        /// The limit of the close has passed: everything ends by force. Next: closed.
        case cut
        case closed
    }

    var configuration: PoolConfiguration
    /// From the configuration, in nanoseconds and plain numbers for the path of every acquire.
    let checkAfterIdleNanoseconds: UInt64
    let overtakingNanoseconds: UInt64
    var idleLimit: Int
    var idleTarget: Int
    let isInstrumented: Bool
    var slots: [Slot]
    var freeSlots: [Int]
    /// Slots of idle connections in the order of their last use; the last one is lent first. None of them is suspect.
    var idleStack: [Int] = []
    var waiters = WaiterQueue()
    var nextTicket = 0
    var lastUseTurn = 0
    var phase = Phase.running
    /// Raised by each proven loss: everything proven before is suspect.
    var generation = 0
    var nextSerial = 1
    var connecting = 0
    var checking = 0
    /// Of these, the ones that nobody should count on.
    var slowChecks = 0
    var leased = 0
    var resetting = 0
    var closing = 0
    /// Failed connects in a row.
    var connectFailuresInRow = 0
    var noConnectBefore = MonotonicInstant(nanoseconds: 0)
    var lastConnectFailure: String?
    /// Since when no connect has succeeded; `nil` while they do.
    var failingSince: MonotonicInstant?
    var isBreakerOpen = false
    /// Failed connects and connections that were dead on arrival, ever.
    var troubles = 0
    /// Connections in a row that were lost before they had answered anything.
    var deadOnArrivalInRow = 0
    let connectInterval: Duration?
    var nextConnectAt = MonotonicInstant(nanoseconds: 0)
    var isSuspended = false
    /// There are more connections than there may be, since the pool was made smaller.
    var isShrinking = false
    /// Connections with a lower serial number are to be replaced.
    var retiredBelow = 0
    /// As many connections as ``PoolConfiguration/idleTarget`` says have been open at the same time.
    public internal(set) var hasFilled = false
    var maintenanceAt: MonotonicInstant
    var leasesCut = 0
    var generator: SeededGenerator
    var metrics = PoolMetrics()
    var actions: [PoolAction] = []

    /// - Parameters:
    ///   - configuration: the limits.
    ///   - seed: draws lifetimes and back-off.
    ///   - now: the pool's first moment; `minIdle` connections are ordered at once.
    public init(configuration: PoolConfiguration, seed: UInt64, now: MonotonicInstant) {
        self.configuration = configuration
        checkAfterIdleNanoseconds = UInt64(max(0, configuration.checkAfterIdle.nanoseconds))
        overtakingNanoseconds = UInt64(max(0, configuration.overtaking.nanoseconds))
        idleLimit = configuration.idleLimit
        idleTarget = configuration.idleTarget
        isInstrumented = configuration.isInstrumented
        connectInterval = configuration.connectsPerSecond.map { .seconds(1 / $0) }
        slots = Array(repeating: Slot(), count: configuration.maxOpen)
        freeSlots = Array((0..<configuration.maxOpen).reversed())
        generator = SeededGenerator(seed: seed, stream: "pool")
        maintenanceAt = now.advanced(by: configuration.maintenanceInterval)
        metrics.maxOpenConnections = configuration.maxOpen
        hasFilled = configuration.idleTarget == 0
        supply(now)
    }

    var hasWaiters: Bool { !waiters.isEmpty }

    /// What must be done now, in order. Empty afterwards.
    public mutating func takeActions() -> [PoolAction] {
        if actions.isEmpty { return [] }
        defer { actions = [] }
        return actions
    }

    /// The same without allocating: trades its list of actions for `buffer`, whose content is dropped.
    public mutating func takeActions(into buffer: inout [PoolAction]) {
        buffer.removeAll(keepingCapacity: true)
        swap(&actions, &buffer)
    }

    public var gauges: PoolGauges {
        var gauges = PoolGauges()
        gauges.open = idleStack.count + leased + checking + resetting
        gauges.idle = idleStack.count
        gauges.inUse = leased
        gauges.connecting = connecting
        gauges.waiting = waiters.count
        return gauges
    }

    /// Counters and gauges at this moment.
    public func snapshot() -> PoolMetrics {
        var snapshot = metrics
        snapshot.isBreakerOpen = isBreakerOpen
        snapshot.isSuspended = isSuspended
        snapshot.gauges = gauges
        return snapshot
    }

    /// A lease that is out, for reports.
    public struct OpenLease: Sendable, Equatable {
        public let connection: ConnectionHandle
        public let site: BorrowSite?
        public let since: MonotonicInstant
    }

    /// The leases that are out, in order of their connections' serial numbers.
    public var openLeases: [OpenLease] {
        slots.indices.filter { slots[$0].state == .leased }
            .map { OpenLease(connection: handle($0), site: slots[$0].site, since: slots[$0].since) }
            .sorted { $0.connection.serial < $1.connection.serial }
    }

    public var isClosed: Bool { phase == .closed }

    /// When ``alarmFired(now:)`` must be called, at the latest. After that call it is later than that call was, so the alarm
    /// cannot spin. O(log waiters) amortised.
    public mutating func nextAlarm() -> MonotonicInstant? {
        if phase == .closed { return nil }
        var next = maintenanceAt
        if let deadline = waiters.earliestDeadline { next = min(next, deadline) }
        if case .closing(let cancelAt, let cutAt) = phase { next = min(next, cancelAt ?? cutAt) }
        // Only where the pause is what it waits for: with a connect in flight the answer wakes it.
        if wantsConnection, connecting < connectLimit { next = min(next, max(noConnectBefore, nextConnectAt)) }
        return next
    }

    // MARK: Parts that the events share

    func handle(_ slot: Int) -> ConnectionHandle { ConnectionHandle(slot: slot, serial: slots[slot].serial) }

    /// The slot of a handle, when the connection still exists and is in this state.
    func slot(of handle: ConnectionHandle, in state: SlotState) -> Int? {
        slots[handle.slot].serial == handle.serial && slots[handle.slot].state == state ? handle.slot : nil
    }

    /// Slots with a connection in any state.
    var occupied: Int { idleStack.count + connecting + checking + leased + resetting + closing }

    mutating func noteUse(_ slot: Int, _ now: MonotonicInstant) {
        lastUseTurn &+= 1
        slots[slot].useTurn = lastUseTurn
        slots[slot].usedAt = now
    }

    mutating func freeSlot(_ slot: Int) {
        slots[slot].state = .free
        slots[slot].serial = -1
        slots[slot].site = nil
        freeSlots.append(slot)
        if isShrinking, occupied <= configuration.maxOpen { isShrinking = false }
    }
}
