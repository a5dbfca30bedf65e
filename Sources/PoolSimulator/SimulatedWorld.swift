import ConnectionPool
import RigModel
import Threading

/// What a pool's state machine sees of the world, and what the world knows better: which connections are dead or dirty, who
/// waits since when, who holds what. Carries out what the machine asks for, and compares both books after each transition.
///
/// A value; pure. Nothing here looks inside the machine: a machine that lies about itself is found out.
struct SimulatedWorld<Machine: SimulatedMachine> {
    var machine: Machine
    /// The limits that hold now.
    var configuration: PoolConfiguration
    let limits: SimulatedLimits
    var now = SimulatedWorld.begin
    /// The number of the transition that runs or ran last.
    var transition = 0
    /// Events that were told.
    var steps = 0
    var coverage = SimulationCoverage()
    /// Of everything that was told and answered.
    var digest: UInt64 = 0xCBF2_9CE4_8422_2325

    /// By slot.
    var connections: [SimulatedConnection] = []
    /// Slots with a call that runs, the oldest first.
    var calls: [Int] = []
    /// In the order in which they were lent.
    var leases: [SimulatedLease] = []
    /// Leases that the pool has cut and whose borrowers do not know it yet.
    var cutLeases: [SimulatedLease] = []
    /// In order of arrival.
    var waiters: [SimulatedWaiter] = []
    var fillWaiters = 0
    var counts = SimulatedCounts()

    var arrivals = 0
    var lastTicket = -1
    var highestSerial = 0
    var useTurns = 0
    /// Since when there are more idle connections than `minIdle` asks for; `nil` while there are not.
    var surplusSince: MonotonicInstant?
    /// The transition that reported the last loss that was news.
    var lastLossAsOf = -1
    /// Connections up to this serial number are to be replaced.
    var retiredThrough = 0
    var lastConnectAt: MonotonicInstant?
    var lastConnectFailed = false
    /// Since when no connect has succeeded that was not lost at once.
    var troubleSince: MonotonicInstant?
    var connectsFailSince: MonotonicInstant?
    /// The transition of the last failed connect or lost connection.
    var troubledAsOf = -1
    /// Connections are lost, perhaps before they answer anything, and none has answered that was opened since.
    var mayBeDropping = false
    /// Connects have failed for so long that nobody may wait for one.
    var mustBeBroken = false
    var isSuspended = false
    var hasFilled = false
    var isClosing = false
    var cancelAt: MonotonicInstant?
    var cutAt = MonotonicInstant.distantFuture
    var hasCancelled = false
    var isCut = false
    var isClosed = false
    var alarmAt = MonotonicInstant.distantFuture
    var lastAlarmAt = SimulatedWorld.begin
    /// The waiter that the running transition cancels.
    var cancelling = -1
    /// The connection that the running transition tells news of.
    var slotWithNews = -1
    /// The lease that the running transition ends.
    var ending: EndingLease?
    var announcedClose: (slot: Int, reason: CloseReason)?
    /// What the machine asked for last; kept for its storage.
    private var batch: [PoolAction] = []

    /// Every life begins at this time.
    static var begin: MonotonicInstant { MonotonicInstant(nanoseconds: 1_000_000_000) }

    init(
        configuration: PoolConfiguration, machineSeed: UInt64, make: MachineMaker<Machine>
    ) throws(SimulationFailure) {
        self.configuration = configuration
        limits = SimulatedLimits(configuration)
        machine = make(configuration, machineSeed, Self.begin)
        hasFilled = configuration.idleTarget == 0
        connections = Array(repeating: SimulatedConnection(), count: configuration.maxOpen + 4)
        try look()
    }

    @inline(never)
    func failure(_ message: String) -> SimulationFailure {
        SimulationFailure(message: message, transition: transition, now: now)
    }

    @inline(__always)
    mutating func mix(_ word: Int) {
        digest = (digest ^ UInt64(truncatingIfNeeded: word)) &* 0x100_0000_01B3
        digest ^= digest >> 29
    }

    /// Carries out what the machine asks for after a transition, and looks whether everything holds.
    mutating func look() throws(SimulationFailure) {
        var actions: [PoolAction] = []
        swap(&actions, &batch)
        machine.takeActions(into: &actions)
        for index in actions.indices { try carryOut(actions[index]) }
        swap(&actions, &batch)
        if let announcedClose { throw failure("the close of #\(connections[announcedClose.slot].serial) is only told") }
        alarmAt = machine.nextAlarm() ?? .distantFuture
        mix(Int(truncatingIfNeeded: alarmAt.nanoseconds))
        try checkBooks()
        if let broken = machine.brokenInvariant() { throw failure(broken) }
    }

    // MARK: Looking things up

    /// The slot of a handle that must exist.
    func slot(of handle: ConnectionHandle) throws(SimulationFailure) -> Int {
        guard handle.slot >= 0, handle.slot < connections.count, connections[handle.slot].serial == handle.serial,
            connections[handle.slot].state != .none
        else { throw failure("\(handle) does not exist") }
        return handle.slot
    }

    func indexOfLease(_ handle: ConnectionHandle) -> Int? { leases.firstIndex { $0.handle == handle } }

    func handle(ofSlot slot: Int) -> ConnectionHandle {
        ConnectionHandle(slot: slot, serial: connections[slot].serial)
    }
}

/// The durations of a configuration, in nanoseconds.
struct SimulatedLimits {
    let connect: UInt64
    let check: UInt64
    let release: UInt64
    let checkAfterIdle: UInt64
    let overtaking: UInt64
    let maintenance: UInt64
    let slowCheck: UInt64
    /// The earliest time after a proof at which a connection that nobody wants is due for another.
    let healthCheck: UInt64
    /// The earliest and the latest age at which a connection is retired.
    let lifetime: (earliest: UInt64, latest: UInt64)?
    let idleTime: UInt64?
    let leakThreshold: UInt64?
    let breakerAfter: UInt64?
    let connectInterval: UInt64?
    let backoffCap: UInt64

    init(_ configuration: PoolConfiguration) {
        func nanoseconds(_ duration: Duration) -> UInt64 { UInt64(max(0, duration.nanoseconds)) }
        connect = nanoseconds(configuration.connectTimeout)
        check = nanoseconds(configuration.checkTimeout)
        release = nanoseconds(configuration.releaseTimeout)
        checkAfterIdle = nanoseconds(configuration.checkAfterIdle)
        overtaking = nanoseconds(configuration.overtaking)
        maintenance = nanoseconds(configuration.maintenanceInterval)
        slowCheck = nanoseconds(configuration.slowCheckLimit)
        // One microsecond for what is lost in between as floating point.
        let earliestCheck = nanoseconds(configuration.healthCheckInterval) / 4 * 3
        healthCheck = earliestCheck - min(earliestCheck, 1_000)
        lifetime = configuration.maxLifetime.map {
            // One microsecond for what is lost in between as floating point.
            let latest = nanoseconds($0)
            let earliest = Double(latest) * (1 - configuration.maxLifetimeJitter) - 1_000
            return (UInt64(max(0, earliest)), latest + 1_000)
        }
        idleTime = configuration.maxIdleTime.map(nanoseconds)
        leakThreshold = configuration.leakThreshold.map(nanoseconds)
        breakerAfter = configuration.breakerAfter.map(nanoseconds)
        connectInterval = configuration.connectsPerSecond.map { UInt64(1e9 / $0) }
        backoffCap = nanoseconds(configuration.backoffCap)
    }
}

/// What the machine's counters must show in the end.
struct SimulatedCounts {
    var lent = 0
    var lentAfterWait = 0
    var timeouts = 0
    var cancelled = 0
    var connects = 0
    var connectFailures = 0
    var checksWell = 0
    var checksFailed = 0
    var resets = 0
    var leaksSuspected = 0
    var closedByIdleLimit = 0
    var closedByIdleTime = 0
    var closedByLifetime = 0
    var closedAsLost = 0
    var cuts = 0
}
