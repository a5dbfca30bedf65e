package import ConnectionPool
import PoolSimulator
package import Threading

/// The pool's real state machine behind a wrapper that passes everything on and does one thing wrong.
package struct DefectiveMachine: SimulatedMachine {
    private let defect: PlantedDefect
    private var inner: PoolStateMachine
    /// Actions that the wrapper adds.
    private var extra: [PoolAction] = []
    private var waiting: [Int] = []
    private var failuresInRow = 0
    private var untaken = 0
    private var maxOpen: Int
    private var hasClosed = false

    init(_ defect: PlantedDefect, _ configuration: PoolConfiguration, seed: UInt64, now: MonotonicInstant) {
        self.defect = defect
        var changed = configuration
        switch defect {
        case .oneTooMany: changed.maxOpen += 1
        case .connectStorm: changed.maxConnecting = 64
        case .lifetimeIsIgnored:
            // It still looks as often as it would.
            changed.healthCheckInterval = min(changed.healthCheckInterval, configuration.maintenanceInterval * 4)
            changed.maxLifetime = nil
        case .idleTimeIsIgnored:
            changed.healthCheckInterval = min(changed.healthCheckInterval, configuration.maintenanceInterval * 4)
            changed.maxIdleTime = nil
        default: break
        }
        maxOpen = configuration.maxOpen
        inner = PoolStateMachine(configuration: changed, seed: seed, now: now)
    }

    // MARK: Borrowers

    package mutating func acquire(
        now: MonotonicInstant, deadline: MonotonicInstant, site: BorrowSite?, turn: Turn?, affinity: Int32
    ) -> AcquireDecision {
        if defect == .breakerIsTooEager, failuresInRow > 0, !hasClosed {
            return .refuse(.breakerOpen(failingFor: .zero, lastConnectFailure: "refused"))
        }
        let deadline = defect == .acquireNeverTimesOut && now < deadline ? .distantFuture : deadline
        let turn = defect == .placeInLineIsLost ? nil : turn
        let decision = inner.acquire(now: now, deadline: deadline, site: site, turn: turn, affinity: affinity)
        if case .wait(let ticket) = decision { waiting.append(ticket) }
        return decision
    }

    package mutating func lendFresh(
        now: MonotonicInstant, affinity: Int32, site: BorrowSite
    ) -> ConnectionHandle? { inner.lendFresh(now: now, affinity: affinity, site: site) }

    package mutating func cancel(waiter: Int) {
        if defect != .cancelledWaiterStays { inner.cancel(waiter: waiter) }
    }

    package mutating func release(
        _ handle: ConnectionHandle, _ condition: ReleaseCondition, affinity: Int32, now: MonotonicInstant
    ) {
        let told: ReleaseCondition =
            switch (defect, condition) {
            case (.openTransactionIsLent, .needsReset), (.unusableIsLent, .unusable): .clean
            default: condition
            }
        inner.release(handle, told, affinity: affinity, now: now)
    }

    package mutating func takeBackClean(_ handle: ConnectionHandle, affinity: Int32, now: MonotonicInstant) -> Bool {
        inner.takeBackClean(handle, affinity: affinity, now: now)
    }

    package mutating func returnUnused(_ handle: ConnectionHandle, now: MonotonicInstant) {
        untaken += 1
        if defect != .cancelledGrantIsKept { inner.returnUnused(handle, now: now) }
    }

    package mutating func returnDead(_ handle: ConnectionHandle, now: MonotonicInstant) -> Turn? {
        inner.returnDead(handle, now: now)
    }

    package mutating func lost(_ handle: ConnectionHandle, now: MonotonicInstant) {
        if defect != .lossTellsNothing { inner.lost(handle, now: now) }
    }

    // MARK: The driver

    package mutating func idleEvent(_ handle: ConnectionHandle, now: MonotonicInstant) {
        inner.idleEvent(handle, now: now)
    }

    package mutating func connected(_ handle: ConnectionHandle, affinity: Int32, now: MonotonicInstant) {
        failuresInRow = 0
        inner.connected(handle, affinity: affinity, now: now)
    }

    package mutating func connectFailed(_ handle: ConnectionHandle, _ why: String, now: MonotonicInstant) {
        failuresInRow += 1
        if defect != .failedConnectKeepsSlot { inner.connectFailed(handle, why, now: now) }
        if defect == .givesUpAfterOutage, failuresInRow > 3 { inner.suspend(now: now) }
    }

    package mutating func checked(_ handle: ConnectionHandle, alive: Bool, provesLoss: Bool, now: MonotonicInstant) {
        if defect == .interruptedCheckKeepsSlot, !alive, !provesLoss { return }
        inner.checked(handle, alive: alive, provesLoss: provesLoss && defect != .lossTellsNothing, now: now)
    }

    package mutating func wasReset(_ handle: ConnectionHandle, clean: Bool, provesLoss: Bool, now: MonotonicInstant) {
        if defect == .interruptedResetKeepsSlot, !clean, !provesLoss { return }
        inner.wasReset(handle, clean: clean || defect == .failedResetIsTrusted, provesLoss: provesLoss, now: now)
    }

    package mutating func disconnected(_ handle: ConnectionHandle, now: MonotonicInstant) {
        inner.disconnected(handle, now: now)
    }

    // MARK: Time and control

    package mutating func alarmFired(now: MonotonicInstant) { inner.alarmFired(now: now) }

    package mutating func resize(maxOpen: Int, minIdle: Int, maxIdle: Int?, now: MonotonicInstant) {
        let told: Int =
            switch defect {
            case .oneTooMany: maxOpen + 1
            case .shrinkIsIgnored: max(maxOpen, self.maxOpen)
            default: maxOpen
            }
        self.maxOpen = max(self.maxOpen, maxOpen)
        inner.resize(maxOpen: told, minIdle: minIdle, maxIdle: maxIdle, now: now)
    }

    package mutating func suspend(now: MonotonicInstant) { inner.suspend(now: now) }

    package mutating func resume(now: MonotonicInstant) { inner.resume(now: now) }

    package mutating func retireAll(now: MonotonicInstant) {
        if defect != .retiredIsLent { inner.retireAll(now: now) }
    }

    package mutating func close(now: MonotonicInstant, cancelAt: MonotonicInstant?, cutAt: MonotonicInstant) {
        hasClosed = true
        inner.close(now: now, cancelAt: cancelAt, cutAt: cutAt)
        if defect == .closeLeavesSessions, !inner.isClosed { extra.append(.closed(leasesCut: 0)) }
    }

    package mutating func nextAlarm() -> MonotonicInstant? {
        if defect == .workerDies, failuresInRow > 2 { return nil }
        return inner.nextAlarm()
    }

    package mutating func takeActions(into buffer: inout [PoolAction]) {
        inner.takeActions(into: &buffer)
        buffer = buffer.flatMap { altered($0) } + extra
        extra = []
    }

    private mutating func altered(_ action: PoolAction) -> [PoolAction] {
        switch action {
        case .grant(let ticket, let handle):
            waiting.removeAll { $0 == ticket }
            if defect == .lateGrantIsDropped, waiting.count > 1 { return [] }
            if defect == .lastWaiterFirst, let last = waiting.last { return [.grant(waiter: last, handle)] }
            if defect == .lentTwice, let next = waiting.first { return [action, .grant(waiter: next, handle)] }
        case .refuse(let ticket, _): waiting.removeAll { $0 == ticket }
        case .check(let handle, _): if defect == .checkHasNoLimit { return [.check(handle, deadline: .distantFuture)] }
        case .abort: if defect == .closeWaitsForChecks { return [] }
        case .filled: if defect == .warmUpIsNotTold { return [] }
        case .notice(.leakCleared): if defect == .leakIsNotCleared { return [] }
        default: break
        }
        return [action]
    }

    // MARK: What it tells

    package var gauges: PoolGauges { inner.gauges }
    package var isClosed: Bool { inner.isClosed || defect == .closeLeavesSessions && hasClosed }
    package var hasFilled: Bool { inner.hasFilled }

    package func snapshot() -> PoolMetrics {
        var told = inner.snapshot()
        if defect == .countsWrongly { told.acquireCount += untaken }
        return told
    }

    package func brokenInvariant() -> String? { inner.brokenInvariant() }
}
