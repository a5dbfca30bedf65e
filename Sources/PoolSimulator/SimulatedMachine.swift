package import ConnectionPool
package import Threading

/// The transitions of the pool's state machine, as the simulation drives them. The real machine is one; tests put defects
/// between it and the simulation with another.
package protocol SimulatedMachine: SendableMetatype {
    mutating func acquire(
        now: MonotonicInstant, deadline: MonotonicInstant, site: BorrowSite?, turn: Turn?, affinity: Int32
    ) -> AcquireDecision
    mutating func lendFresh(now: MonotonicInstant, affinity: Int32, site: BorrowSite) -> ConnectionHandle?
    mutating func cancel(waiter: Int)
    mutating func release(
        _ handle: ConnectionHandle, _ condition: ReleaseCondition, affinity: Int32, now: MonotonicInstant)
    mutating func takeBackClean(_ handle: ConnectionHandle, affinity: Int32, now: MonotonicInstant) -> Bool
    mutating func returnUnused(_ handle: ConnectionHandle, now: MonotonicInstant)
    mutating func returnDead(_ handle: ConnectionHandle, now: MonotonicInstant) -> Turn?
    mutating func lost(_ handle: ConnectionHandle, now: MonotonicInstant)
    mutating func idleEvent(_ handle: ConnectionHandle, now: MonotonicInstant)
    mutating func connected(_ handle: ConnectionHandle, affinity: Int32, now: MonotonicInstant)
    mutating func connectFailed(_ handle: ConnectionHandle, _ why: String, now: MonotonicInstant)
    mutating func checked(_ handle: ConnectionHandle, alive: Bool, provesLoss: Bool, now: MonotonicInstant)
    mutating func wasReset(_ handle: ConnectionHandle, clean: Bool, provesLoss: Bool, now: MonotonicInstant)
    mutating func disconnected(_ handle: ConnectionHandle, now: MonotonicInstant)
    mutating func alarmFired(now: MonotonicInstant)
    mutating func resize(maxOpen: Int, minIdle: Int, maxIdle: Int?, now: MonotonicInstant)
    mutating func suspend(now: MonotonicInstant)
    mutating func resume(now: MonotonicInstant)
    mutating func retireAll(now: MonotonicInstant)
    mutating func close(now: MonotonicInstant, cancelAt: MonotonicInstant?, cutAt: MonotonicInstant)

    mutating func takeActions(into buffer: inout [PoolAction])
    mutating func nextAlarm() -> MonotonicInstant?
    var gauges: PoolGauges { get }
    var isClosed: Bool { get }
    var hasFilled: Bool { get }
    func snapshot() -> PoolMetrics
    func brokenInvariant() -> String?
}

extension PoolStateMachine: SimulatedMachine {}

/// Makes the machine of one life.
package typealias MachineMaker<Machine: SimulatedMachine> =
    @Sendable (_ configuration: PoolConfiguration, _ seed: UInt64, _ now: MonotonicInstant) -> Machine
