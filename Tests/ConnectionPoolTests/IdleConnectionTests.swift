import ConnectionPool
import Testing
import Threading

/// What becomes of connections that nobody uses.
@Suite("Pool state machine: idle connections")
struct IdleConnectionTests {
    @Test("minIdle connections are opened ahead, as many at a time as may connect")
    func minIdleIsFilled() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 5, minIdle: 3, maxConnecting: 2))
        var pending = bench.atStart.connects
        #expect(pending.count == 2)
        while !pending.isEmpty { pending += bench.connected(pending.removeFirst()).connects }
        #expect(bench.machine.gauges.idle == 3)
    }

    @Test("A lent connection is replaced ahead of the next demand, within maxOpen")
    func minIdleIsRefilledOnLending() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 3, minIdle: 2))
        for handle in bench.atStart.connects { _ = bench.connected(handle) }
        let (_, actions) = bench.acquire()
        #expect(actions.connects.count == 1)
        _ = bench.connected(actions.connects[0])
        #expect(bench.acquire().actions.isEmpty)
        #expect(bench.machine.gauges.open == 3)
    }

    @Test("A minIdle above maxIdle does not open what it must close again")
    func minIdleAboveMaxIdle() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 5, minIdle: 4, maxIdle: 2))
        var pending = bench.atStart.connects
        var opened = pending.count
        while !pending.isEmpty {
            let actions = bench.connected(pending.removeFirst())
            #expect(actions.closes.isEmpty)
            pending += actions.connects
            opened += actions.connects.count
        }
        #expect(opened == 2)
    }

    @Test("A connection that comes back to a full pool of idle ones is closed as too many")
    func maxIdle() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 3, maxIdle: 1))
        let handles = try bench.openLeased(3)
        #expect(bench.release(handles[0]).isEmpty)
        for handle in handles[1...] {
            #expect(bench.release(handle).closes == [.init(handle: handle, reason: .maxIdle)])
        }
        #expect(bench.machine.snapshot().maxIdleClosed == 2)
    }

    @Test("maxIdle 0 lends from hand to hand and keeps nothing")
    func maxIdleZero() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1, maxIdle: 0))
        let handle = try bench.openLeased(1)[0]
        let waiter = try bench.queue().waiter
        #expect(bench.release(handle).grants == [.init(waiter: waiter, handle: handle)])
        #expect(bench.release(handle).closes.count == 1)
    }

    @Test("An idle connection beyond minIdle is closed after maxIdleTime, the one used longest ago first")
    func maxIdleTime() throws {
        var bench = MachineBench(
            PoolConfiguration(maxOpen: 3, minIdle: 1, maxIdleTime: .seconds(10), healthCheckInterval: .seconds(1_000)))
        var pending = bench.atStart.connects
        while !pending.isEmpty { pending += bench.connected(pending.removeFirst()).connects }
        let kept = try bench.lend()
        pending = bench.connecting
        while !pending.isEmpty { pending += bench.connected(pending.removeFirst()).connects }
        _ = bench.pass(.seconds(5))
        _ = bench.release(kept)
        #expect(bench.pass(.milliseconds(4_900)).closes.isEmpty)
        let closed = bench.pass(.seconds(3)).closes
        #expect(closed.map(\.reason) == [.maxIdleTime])
        #expect(closed.map(\.handle) != [kept])
        // The last one stays however long it is idle.
        #expect(bench.pass(.seconds(100)).closes.isEmpty)
        #expect(bench.machine.snapshot().maxIdleTimeClosed == 1)
    }

    @Test("A check in the background is no use: it neither keeps a connection open nor moves it up in the idle order")
    func checksAreNoUse() throws {
        var bench = MachineBench(
            PoolConfiguration(
                maxOpen: 2, maxIdleTime: .seconds(10), checkAfterIdle: .seconds(1_000), healthCheckInterval: .seconds(2)
            ))
        let handles = try bench.openLeased(2)
        for handle in handles {
            _ = bench.release(handle)
            bench.skip(.seconds(1))
        }
        var checked: [ConnectionHandle] = []
        // The one that was used longest ago is checked last: an order of checks would be another one.
        while checked.count < 3 || checked.last != handles[0] {
            let actions = bench.pass(.milliseconds(100))
            try #require(actions.closes.isEmpty)
            for handle in actions.checks { _ = bench.checked(handle, alive: true) }
            checked += actions.checks
        }
        let lent = try bench.lend()
        #expect(lent == handles[1])
        _ = bench.tell { $0.returnUnused(lent, now: $1) }
        var closed: [PoolAction] = []
        for _ in 0..<100 where closed.closes.isEmpty {
            closed = bench.pass(.milliseconds(100))
            for handle in closed.checks { _ = bench.checked(handle, alive: true) }
        }
        #expect(closed.closes == [.init(handle: handles[0], reason: .maxIdleTime)])
    }

    @Test("A connection past its lifetime is retired on acquire, on release and while idle")
    func maxLifetime() throws {
        let configuration = PoolConfiguration(
            maxOpen: 1, maxLifetime: .seconds(10), maxLifetimeJitter: 0, checkAfterIdle: .seconds(1_000),
            healthCheckInterval: .seconds(1_000))
        let retired: [(inout MachineBench, ConnectionHandle) throws -> [PoolAction]] = [
            { bench, _ in
                bench.skip(.seconds(10))
                return try bench.queue().actions
            },
            { bench, handle in
                try #require(bench.lend() == handle)
                bench.skip(.seconds(10))
                return bench.release(handle)
            },
            { bench, _ in bench.pass(.seconds(13)) },
        ]
        for (index, retire) in retired.enumerated() {
            var bench = MachineBench(configuration)
            let handle = try bench.openIdle(1)[0]
            let actions = try retire(&bench, handle)
            #expect(actions.closes == [.init(handle: handle, reason: .maxLifetime)], "way \(index)")
            #expect(bench.machine.snapshot().maxLifetimeClosed == 1)
        }
        var bench = MachineBench(configuration)
        let handle = try bench.openIdle(1)[0]
        bench.skip(.milliseconds(9_999))
        #expect(try bench.lend() == handle)
    }

    @Test("Connections that were opened together do not end together")
    func lifetimeJitter() throws {
        var bench = MachineBench(
            PoolConfiguration(
                maxOpen: 20, maxLifetime: .seconds(100), maxLifetimeJitter: 0.2, healthCheckInterval: .seconds(4)))
        _ = try bench.openIdle(20)
        var ends: [Double] = []
        for second in 1...110 {
            var actions = bench.pass(.seconds(1))
            for handle in actions.checks { actions += bench.checked(handle, alive: true) }
            ends += actions.closes.map { _ in Double(second) }
        }
        #expect(ends.count == 20)
        #expect(ends.allSatisfy { (80...102).contains($0) })
        #expect(Set(ends).count > 5)
    }

    @Test("Idle connections are checked in the background, each once in an interval and at most a quarter at a time")
    func backgroundChecks() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 8, healthCheckInterval: .seconds(4)))
        let idle = try bench.openIdle(8)
        var checked: [ConnectionHandle] = []
        while checked.count < 8 {
            let checks = bench.pass(.milliseconds(100)).checks
            #expect(checks.count <= 2)
            for handle in checks { #expect(bench.checked(handle, alive: true).isEmpty) }
            checked += checks
        }
        #expect(Set(checked) == Set(idle))
        // Up to a quarter of the interval early, so that they do not come together; and what is due waits for its quarter.
        #expect((4...9).contains(Double(bench.now.nanoseconds) / 1e9))
    }

    @Test("The first moment after a check the connection may be lent without another")
    func backgroundCheckProves() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1, healthCheckInterval: .seconds(1)))
        let handle = try bench.openIdle(1)[0]
        var checks: [ConnectionHandle] = []
        while checks.isEmpty { checks = bench.pass(.milliseconds(100)).checks }
        // Someone comes during the check: it waits for just that one.
        let (waiter, actions) = try bench.queue()
        #expect(actions.isEmpty)
        #expect(bench.checked(handle, alive: true) == [.grant(waiter: waiter, handle)])
    }
}
