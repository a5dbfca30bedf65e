package import ConnectionPool
import Threading

/// Something that the simulation tells the pool's state machine and that needs no answer.
package enum SimulatedEvent: Sendable, Equatable {
    case cancel(waiter: Int)
    case lost(ConnectionHandle)
    case release(ConnectionHandle, ReleaseCondition)
    case returnUnused(ConnectionHandle)
    case connected(ConnectionHandle)
    case connectFailed(ConnectionHandle)
    case checked(ConnectionHandle, alive: Bool, provesLoss: Bool)
    case wasReset(ConnectionHandle, clean: Bool, provesLoss: Bool)
    case disconnected(ConnectionHandle)
    case alarm
    case close(within: Duration)

    func apply(to machine: inout PoolStateMachine, now: MonotonicInstant) {
        switch self {
        case .cancel(let waiter): machine.cancel(waiter: waiter)
        case .lost(let handle): machine.lost(handle, now: now)
        case .release(let handle, let condition): machine.release(handle, condition, now: now)
        case .returnUnused(let handle): machine.returnUnused(handle, now: now)
        case .connected(let handle): machine.connected(handle, now: now)
        case .connectFailed(let handle): machine.connectFailed(handle, "refused", now: now)
        case .checked(let handle, let alive, let provesLoss):
            machine.checked(handle, alive: alive, provesLoss: provesLoss, now: now)
        case .wasReset(let handle, let clean, let provesLoss):
            machine.wasReset(handle, clean: clean, provesLoss: provesLoss, now: now)
        case .disconnected(let handle): machine.disconnected(handle, now: now)
        case .alarm: machine.alarmFired(now: now)
        case .close(let limit): machine.close(now: now, cutAt: now.advanced(by: limit))
        }
    }
}

/// A defect between the machine and its world, planted to see that the simulation finds it.
package struct PlantedDefect: Sendable {
    /// `true` for an event that the machine is never told of.
    package var swallowsEvent: @Sendable (SimulatedEvent) -> Bool
    /// `true` for an action that nobody carries out.
    package var swallowsAction: @Sendable (PoolAction) -> Bool

    package init(
        swallowsEvent: @escaping @Sendable (SimulatedEvent) -> Bool = { _ in false },
        swallowsAction: @escaping @Sendable (PoolAction) -> Bool = { _ in false }
    ) {
        self.swallowsEvent = swallowsEvent
        self.swallowsAction = swallowsAction
    }
}
