import RigModel
package import Threading

/// The decisions of the pool. Pure: no lock, no clock, no I/O. Each event is a mutating method that is told the time; what
/// must be done about it collects in ``takeActions()``.
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
package struct PoolStateMachine: Sendable {
    enum SlotState: Sendable {
        /// No connection. Next: connecting.
        case free
        /// Being opened. Next: idle, leased, free.
        case connecting
        /// Being proven alive. Next: idle, leased, closing.
        case checking
        /// Ready. Next: leased, checking, closing.
        case idle
        /// Held by a borrower. Next: idle, leased (by the next waiter), resetting, closing, free (cut).
        case leased
        /// Being rolled back. Next: idle, leased, closing.
        case resetting
        /// Being closed. Next: free.
        case closing
    }

    struct Slot: Sendable {
        var state = SlotState.free
        var serial = -1
        /// When it entered its state.
        var since = MonotonicInstant(nanoseconds: 0)
        /// When it last proved to be alive: opened, checked, or given back clean.
        var provenAt = MonotonicInstant(nanoseconds: 0)
        var expiresAt = MonotonicInstant.distantFuture
        /// The pool's generation when it was last proven. Older than the pool's: suspect.
        var generation = 0
        /// The pool's generation when the running check was sent.
        var checkGeneration = 0
        var site: BorrowSite?
        var leakReported = false
    }

    enum Phase: Sendable, Equatable {
        case running
        /// Next: closed.
        case closing(cutAt: MonotonicInstant)
        case closed
    }

    var configuration: PoolConfiguration
    var slots: [Slot]
    var freeSlots: [Int]
    /// Slots of idle connections; the last one was used last and is lent first.
    var idleStack: [Int] = []
    var waiters = WaiterQueue()
    var phase = Phase.running
    /// Raised by each proven loss: everything proven before is suspect.
    var generation = 0
    var nextSerial = 1
    var connecting = 0
    var checking = 0
    var leased = 0
    var resetting = 0
    var closing = 0
    /// Failed connects in a row.
    var connectFailuresInRow = 0
    var noConnectBefore = MonotonicInstant(nanoseconds: 0)
    var lastConnectFailure: String?
    var maintenanceAt: MonotonicInstant
    var leasesCut = 0
    var generator: SeededGenerator
    var metrics = PoolMetrics()
    var actions: [PoolAction] = []

    /// - Parameters:
    ///   - configuration: the limits.
    ///   - seed: draws lifetimes and back-off.
    ///   - now: the pool's first moment; `minIdle` connections are ordered at once.
    package init(configuration: PoolConfiguration, seed: UInt64, now: MonotonicInstant) {
        self.configuration = configuration
        slots = Array(repeating: Slot(), count: configuration.maxOpen)
        freeSlots = Array((0..<configuration.maxOpen).reversed())
        generator = SeededGenerator(seed: seed, stream: "pool")
        maintenanceAt = now.advanced(by: configuration.maintenanceInterval)
        metrics.maxOpenConnections = configuration.maxOpen
        supply(now)
    }

    /// What must be done now, in order. Empty afterwards.
    package mutating func takeActions() -> [PoolAction] {
        if actions.isEmpty { return [] }
        defer { actions = [] }
        return actions
    }

    package var gauges: PoolGauges {
        var gauges = PoolGauges()
        gauges.open = idleStack.count + leased + checking + resetting
        gauges.idle = idleStack.count
        gauges.inUse = leased
        gauges.connecting = connecting
        gauges.waiting = waiters.count
        return gauges
    }

    /// Counters and gauges at this moment.
    package func snapshot() -> PoolMetrics {
        var snapshot = metrics
        snapshot.gauges = gauges
        return snapshot
    }

    /// A lease that is out, for reports.
    package struct OpenLease: Sendable, Equatable {
        package let connection: ConnectionHandle
        package let site: BorrowSite?
        package let since: MonotonicInstant
    }

    /// The leases that are out, in order of their connections' serial numbers.
    package var openLeases: [OpenLease] {
        slots.indices.filter { slots[$0].state == .leased }
            .map { OpenLease(connection: handle($0), site: slots[$0].site, since: slots[$0].since) }
            .sorted { $0.connection.serial < $1.connection.serial }
    }

    package var isClosed: Bool { phase == .closed }

    /// When ``alarmFired(now:)`` must be called, at the latest. O(log waiters) amortised.
    package mutating func nextAlarm() -> MonotonicInstant? {
        if phase == .closed { return nil }
        var next = maintenanceAt
        if let deadline = waiters.earliestDeadline { next = min(next, deadline) }
        if case .closing(let cutAt) = phase { next = min(next, cutAt) }
        if connectFailuresInRow > 0, wantsConnection { next = min(next, noConnectBefore) }
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

    /// A connection more would be used: someone waits for it, or `minIdle` asks for it.
    var wantsConnection: Bool {
        phase == .running && occupied < configuration.maxOpen
            && idleStack.count + connecting + checking < configuration.minIdle + waiters.count
    }

    /// Orders what the waiters and `minIdle` need: lends fresh idle connections, checks doubtful ones, opens new ones.
    mutating func supply(_ now: MonotonicInstant) {
        guard phase == .running else { return }
        while !waiters.isEmpty, let slot = popUsableIdle(now) {
            if !needsCheck(slot, now) {
                grantToFirst(slot, now)
            } else if checking < waiters.count {
                beginCheck(slot, now)
            } else {
                idleStack.append(slot)
                break
            }
        }
        let limit = connectFailuresInRow > 0 ? 1 : configuration.maxConnecting
        while wantsConnection, connecting < limit, now >= noConnectBefore { beginConnect(now) }
    }

    /// Takes the idle connection that was used last, and retires those that are too old on the way.
    mutating func popUsableIdle(_ now: MonotonicInstant) -> Int? {
        while let slot = idleStack.popLast() {
            if now < slots[slot].expiresAt { return slot }
            beginClose(slot, .maxLifetime, now)
        }
        return nil
    }

    func needsCheck(_ slot: Int, _ now: MonotonicInstant) -> Bool {
        slots[slot].generation < generation
            || slots[slot].provenAt.duration(to: now) >= configuration.checkAfterIdle
    }

    mutating func beginConnect(_ now: MonotonicInstant) {
        guard let slot = freeSlots.popLast() else { preconditionFailure("no free slot although \(occupied) are taken") }
        slots[slot] = Slot(state: .connecting, serial: nextSerial, since: now, generation: generation)
        nextSerial += 1
        connecting += 1
        actions.append(.connect(handle(slot), deadline: now.advanced(by: configuration.connectTimeout)))
    }

    /// The slot must have left its former state's count.
    mutating func beginCheck(_ slot: Int, _ now: MonotonicInstant) {
        slots[slot].state = .checking
        slots[slot].since = now
        slots[slot].checkGeneration = generation
        checking += 1
        actions.append(.check(handle(slot), deadline: now.advanced(by: configuration.releaseTimeout)))
    }

    /// The slot must have left its former state's count.
    mutating func beginClose(_ slot: Int, _ reason: CloseReason, _ now: MonotonicInstant) {
        switch reason {
        case .maxLifetime: metrics.maxLifetimeClosed += 1
        case .maxIdle: metrics.maxIdleClosed += 1
        case .maxIdleTime: metrics.maxIdleTimeClosed += 1
        case .lost, .unusable, .leaked: metrics.lostClosed += 1
        case .poolClosed: break
        }
        slots[slot].state = .closing
        slots[slot].since = now
        closing += 1
        actions.append(.notice(.closing(handle(slot), reason)))
        actions.append(.close(handle(slot), reason, deadline: now.advanced(by: configuration.releaseTimeout)))
    }

    mutating func grantToFirst(_ slot: Int, _ now: MonotonicInstant) {
        guard let waiter = waiters.popFirst() else { preconditionFailure("a grant without a waiter") }
        lend(slot, waiter.site, now)
        countAcquire(waited: waiter.enqueuedAt.duration(to: now), queued: true)
        actions.append(.grant(waiter: waiter.serial, handle(slot)))
    }

    mutating func lend(_ slot: Int, _ site: BorrowSite?, _ now: MonotonicInstant) {
        slots[slot].state = .leased
        slots[slot].since = now
        slots[slot].site = site
        slots[slot].leakReported = false
        leased += 1
    }

    mutating func countAcquire(waited: Duration, queued: Bool) {
        metrics.acquireCount += 1
        metrics.acquireWait.add(nanoseconds: waited.nanoseconds)
        guard queued else { return }
        metrics.waitCount += 1
        metrics.waitDuration += waited
    }

    /// A connection is ready: the first waiter gets it, else it becomes idle, else it is too many.
    mutating func makeAvailable(_ slot: Int, _ now: MonotonicInstant) {
        if phase != .running { return beginClose(slot, .poolClosed, now) }
        if now >= slots[slot].expiresAt {
            beginClose(slot, .maxLifetime, now)
        } else if !waiters.isEmpty {
            grantToFirst(slot, now)
        } else if idleStack.count >= configuration.idleLimit {
            beginClose(slot, .maxIdle, now)
        } else {
            slots[slot].state = .idle
            slots[slot].since = now
            idleStack.append(slot)
        }
    }

    /// One proven loss makes everything that was proven before it suspect: what is idle is checked at once, what is in use
    /// when it comes back. A loss of something that was suspect already tells nothing new.
    mutating func noteLoss(of slot: Int, _ now: MonotonicInstant) {
        guard slots[slot].generation == generation else { return }
        generation += 1
        let suspects = idleStack
        idleStack = []
        for suspect in suspects { beginCheck(suspect, now) }
    }

    mutating func freeSlot(_ slot: Int) {
        slots[slot].state = .free
        slots[slot].serial = -1
        slots[slot].site = nil
        freeSlots.append(slot)
    }
}
