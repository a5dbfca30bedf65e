import ConnectionPool
import Testing
import Threading

/// A state machine on a bench: time moves by hand, and each event returns what it led to. After each one the machine's
/// invariants must hold.
struct MachineBench {
    var machine: PoolStateMachine
    private(set) var now = MonotonicInstant(nanoseconds: 1_000_000_000)
    /// What the machine asked for before the first event.
    let atStart: [PoolAction]
    /// Connects that have not been answered.
    private(set) var connecting: [ConnectionHandle]

    init(_ configuration: PoolConfiguration, seed: UInt64 = 1) {
        machine = PoolStateMachine(configuration: configuration, seed: seed, now: now)
        atStart = machine.takeActions()
        connecting = atStart.connects
    }

    mutating func tell(
        _ location: SourceLocation = #_sourceLocation, _ event: (inout PoolStateMachine, MonotonicInstant) -> Void
    ) -> [PoolAction] {
        event(&machine, now)
        #expect(machine.brokenInvariant() == nil, sourceLocation: location)
        let actions = machine.takeActions()
        connecting += actions.connects
        return actions
    }

    /// Moves the time without anybody noticing.
    mutating func skip(_ duration: Duration) { now = now.advanced(by: duration) }

    /// Moves the time; the alarm fires whenever the machine wants it.
    mutating func pass(_ duration: Duration, _ location: SourceLocation = #_sourceLocation) -> [PoolAction] {
        let target = now.advanced(by: duration)
        var actions: [PoolAction] = []
        while let alarm = machine.nextAlarm(), alarm <= target {
            now = max(now, alarm)
            actions += tell(location) { $0.alarmFired(now: $1) }
            if let next = machine.nextAlarm() { #expect(next > now, "the alarm spins", sourceLocation: location) }
        }
        now = target
        return actions
    }

    mutating func acquire(
        within budget: Duration = .seconds(10), line: UInt = 1, turn: Turn? = nil
    ) -> (decision: AcquireDecision, actions: [PoolAction]) {
        var decision = AcquireDecision.refuse(.closed)
        let actions = tell { machine, now in
            decision = machine.acquire(
                now: now, deadline: now.advanced(by: budget), site: BorrowSite(file: "bench", line: line), turn: turn)
        }
        return (decision, actions)
    }

    /// Acquires and must get one at once.
    mutating func lend(_ location: SourceLocation = #_sourceLocation) throws -> ConnectionHandle {
        try #require(acquire().decision.lent, sourceLocation: location)
    }

    /// Acquires and must have to wait.
    mutating func queue(
        within budget: Duration = .seconds(10), _ location: SourceLocation = #_sourceLocation
    ) throws -> (waiter: Int, actions: [PoolAction]) {
        let (decision, actions) = acquire(within: budget)
        return (try #require(decision.waiter, sourceLocation: location), actions)
    }

    mutating func release(_ handle: ConnectionHandle, _ condition: ReleaseCondition = .clean) -> [PoolAction] {
        tell { $0.release(handle, condition, now: $1) }
    }

    mutating func connected(_ handle: ConnectionHandle) -> [PoolAction] {
        connecting.removeAll { $0 == handle }
        return tell { $0.connected(handle, now: $1) }
    }

    mutating func connectFailed(_ handle: ConnectionHandle) -> [PoolAction] {
        connecting.removeAll { $0 == handle }
        return tell { $0.connectFailed(handle, "refused", now: $1) }
    }

    mutating func checked(
        _ handle: ConnectionHandle, alive: Bool, provesLoss: Bool = false
    ) -> [PoolAction] {
        tell { $0.checked(handle, alive: alive, provesLoss: provesLoss, now: $1) }
    }

    mutating func wasReset(_ handle: ConnectionHandle, clean: Bool, provesLoss: Bool = false) -> [PoolAction] {
        tell { $0.wasReset(handle, clean: clean, provesLoss: provesLoss, now: $1) }
    }

    mutating func disconnected(_ handle: ConnectionHandle) -> [PoolAction] {
        tell { $0.disconnected(handle, now: $1) }
    }

    mutating func close(within limit: Duration) -> [PoolAction] {
        tell { $0.close(now: $1, cutAt: $1.advanced(by: limit)) }
    }

    mutating func resize(maxOpen: Int, minIdle: Int = 0, maxIdle: Int? = nil) -> [PoolAction] {
        tell { $0.resize(maxOpen: maxOpen, minIdle: minIdle, maxIdle: maxIdle, now: $1) }
    }

    /// Opens this many connections and leases them.
    mutating func openLeased(_ count: Int) throws -> [ConnectionHandle] {
        var handles: [ConnectionHandle] = []
        for _ in 0..<count {
            let handle = try #require(queue().actions.connects.first)
            handles += connected(handle).grants.map(\.handle)
        }
        try #require(handles.count == count)
        return handles
    }

    /// Opens this many connections and leaves them idle; the last one is lent first.
    mutating func openIdle(_ count: Int) throws -> [ConnectionHandle] {
        let handles = try openLeased(count)
        for handle in handles { #expect(release(handle).isEmpty) }
        return handles
    }
}

extension AcquireDecision {
    var lent: ConnectionHandle? { if case .lend(let handle) = self { handle } else { nil } }
    var waiter: Int? { if case .wait(let waiter) = self { waiter } else { nil } }
    var refusal: PoolError? { if case .refuse(let error) = self { error } else { nil } }
}

extension [PoolAction] {
    var connects: [ConnectionHandle] { compactMap { if case .connect(let handle, _) = $0 { handle } else { nil } } }
    var checks: [ConnectionHandle] { compactMap { if case .check(let handle, _) = $0 { handle } else { nil } } }
    var resets: [ConnectionHandle] { compactMap { if case .reset(let handle, _) = $0 { handle } else { nil } } }
    var cuts: [ConnectionHandle] { compactMap { if case .cut(let handle) = $0 { handle } else { nil } } }
    var aborts: [ConnectionHandle] { compactMap { if case .abort(let handle) = $0 { handle } else { nil } } }
    var grants: [Grant] {
        compactMap {
            if case .grant(let waiter, let handle) = $0 { Grant(waiter: waiter, handle: handle) } else { nil }
        }
    }
    var refusals: [Int] { compactMap { if case .refuse(let waiter, _) = $0 { waiter } else { nil } } }
    var notices: [PoolNotice] { compactMap { if case .notice(let notice) = $0 { notice } else { nil } } }
    var closes: [Closing] {
        compactMap {
            if case .close(let handle, let reason, _) = $0 { Closing(handle: handle, reason: reason) } else { nil }
        }
    }

    struct Grant: Equatable {
        let waiter: Int
        let handle: ConnectionHandle
    }

    struct Closing: Equatable {
        let handle: ConnectionHandle
        let reason: CloseReason
    }
}
