import ConnectionPool
import Testing
import Threading

/// Checks, resets and losses: when the pool believes that a connection lives.
@Suite("Pool state machine: proof of life")
struct ProofOfLifeTests {
    @Test("A connection that was idle for checkAfterIdle is checked before it is lent, a moment earlier it is not")
    func checkAfterIdle() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1, checkAfterIdle: .milliseconds(500)))
        let handle = try bench.openIdle(1)[0]
        bench.skip(.milliseconds(499))
        #expect(try bench.lend() == handle)
        #expect(bench.release(handle).isEmpty)
        bench.skip(.milliseconds(500))
        let (waiter, actions) = try bench.queue()
        #expect(actions == [.check(handle, deadline: bench.now.advanced(by: .seconds(2)))])
        #expect(bench.checked(handle, alive: true) == [.grant(waiter: waiter, handle)])
        #expect(bench.machine.snapshot().healthChecksOK == 1)
    }

    @Test("One waiter has one doubtful connection checked; a second waiter a second one")
    func oneCheckForEachWaiter() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 3))
        let idle = try bench.openIdle(3)
        bench.skip(.seconds(1))
        #expect(try bench.queue().actions.checks == [idle[2]])
        #expect(try bench.queue().actions.checks == [idle[1]])
    }

    @Test("A check has a limit of its own, shorter than the acquire that it is made for")
    func checkLimit() throws {
        var bench = MachineBench(
            PoolConfiguration(maxOpen: 1, acquireTimeout: .seconds(10), checkTimeout: .milliseconds(300)))
        let idle = try bench.openIdle(1)[0]
        bench.skip(.seconds(1))
        let now = bench.now
        #expect(try bench.queue().actions == [.check(idle, deadline: now.advanced(by: .milliseconds(300)))])
    }

    @Test("What an idle connection sees unasked is looked into now; one in use is left to its borrower")
    func idleEvent() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        let idle = try bench.openIdle(2)
        #expect(bench.tell { $0.idleEvent(idle[0], now: $1) }.checks == [idle[0]])
        #expect(bench.tell { $0.idleEvent(idle[0], now: $1) }.isEmpty)
        #expect(bench.checked(idle[0], alive: false, provesLoss: true).checks == [idle[1]])
        #expect(bench.checked(idle[1], alive: true).isEmpty)
        #expect(try bench.lend() == idle[1])
        #expect(bench.tell { $0.idleEvent(idle[1], now: $1) }.isEmpty)
    }

    @Test("A check that is slow does not hold its waiter up: the next connection is checked meanwhile")
    func slowCheckIsNotCountedOn() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 3, healthCheckInterval: .seconds(100), maxConnecting: 1))
        let idle = try bench.openIdle(2)
        // A frozen server: only the alarm moves things on.
        bench.skip(.seconds(3))
        _ = bench.pass(.zero)
        let (waiter, actions) = try bench.queue()
        #expect(actions.checks == [idle[1]])
        #expect(bench.pass(.milliseconds(250)).checks == [idle[0]])
        #expect(bench.pass(.milliseconds(250)).connects.count == 1)
        // The first answer of all three is taken, whichever it is.
        #expect(bench.checked(idle[1], alive: true) == [.grant(waiter: waiter, idle[1])])
        #expect(bench.checked(idle[0], alive: true).isEmpty)
        #expect(bench.machine.gauges.idle == 1)
    }

    @Test("One proven loss has every idle connection checked at once; the loss of a suspect one tells nothing new")
    func oneLossIsEnough() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 5))
        let handles = try bench.openLeased(5)
        for handle in handles[2...] { _ = bench.release(handle) }
        let actions = bench.tell { $0.lost(handles[0], now: $1) }
        #expect(Set(actions.checks) == Set(handles[2...]))
        #expect(bench.release(handles[0], .unusable).closes == [.init(handle: handles[0], reason: .lost)])
        // The others are as old: what they tell is known.
        #expect(bench.checked(handles[2], alive: true).isEmpty)
        #expect(bench.tell { $0.lost(handles[1], now: $1) }.isEmpty)
        #expect(bench.checked(handles[3], alive: false, provesLoss: true).checks.isEmpty)
        #expect(bench.machine.gauges.idle == 1)
    }

    @Test("A loss is believed once, however often its borrower tells it")
    func lossIsToldTwice() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        let handles = try bench.openLeased(2)
        _ = bench.tell { $0.lost(handles[0], now: $1) }
        #expect(bench.release(handles[1]).checks == [handles[1]])
        #expect(bench.checked(handles[1], alive: true).isEmpty)
        #expect(bench.tell { $0.lost(handles[0], now: $1) }.isEmpty)
    }

    @Test("A connection that was in use during a loss is checked when it comes back, although someone waits for it")
    func inUseDuringALoss() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        let handles = try bench.openLeased(2)
        let waiter = try bench.queue().waiter
        _ = bench.tell { $0.lost(handles[0], now: $1) }
        let back = bench.release(handles[1])
        #expect(back.grants.isEmpty)
        #expect(back.checks == [handles[1]])
        #expect(bench.checked(handles[1], alive: true) == [.grant(waiter: waiter, handles[1])])
        // It is proven now: no second check.
        #expect(bench.release(handles[1]).isEmpty)
    }

    @Test("A check that was sent before a loss does not answer it")
    func lossDuringACheck() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        let handles = try bench.openLeased(2)
        _ = bench.release(handles[0])
        bench.skip(.seconds(1))
        #expect(try bench.queue().actions.checks == [handles[0]])
        #expect(bench.tell { $0.lost(handles[1], now: $1) }.checks.isEmpty)
        #expect(bench.checked(handles[0], alive: true).checks == [handles[0]])
        #expect(bench.checked(handles[0], alive: true).grants.count == 1)
    }

    @Test("A connect that began before a loss is checked before it is lent")
    func lossDuringAConnect() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        let handles = try bench.openLeased(1)
        let connecting = try #require(bench.queue().actions.connects.first)
        _ = bench.tell { $0.lost(handles[0], now: $1) }
        #expect(bench.connected(connecting).checks == [connecting])
    }

    @Test("A reset is a proof: after a loss it needs no check as well")
    func resetProves() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        let handles = try bench.openLeased(2)
        _ = bench.tell { $0.lost(handles[0], now: $1) }
        #expect(bench.release(handles[1], .needsReset).resets == [handles[1]])
        #expect(bench.wasReset(handles[1], clean: true).isEmpty)
        #expect(bench.machine.gauges.idle == 1)
    }

    @Test("A dead connection that is found on the way out is closed, and makes the others suspect")
    func returnDead() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        let handles = try bench.openIdle(2)
        _ = try bench.lend()
        let actions = bench.tell { _ = $0.returnDead(handles[1], now: $1) }
        #expect(actions.closes == [.init(handle: handles[1], reason: .lost)])
        #expect(actions.checks == [handles[0]])
        #expect(bench.machine.snapshot().acquireCount == 2)
    }

    @Test("A check that only fails closes its connection; one that proves a loss makes the others suspect too")
    func failedCheck() throws {
        for provesLoss in [false, true] {
            var bench = MachineBench(PoolConfiguration(maxOpen: 2))
            let handles = try bench.openLeased(2)
            _ = bench.release(handles[1])
            bench.skip(.seconds(1))
            _ = try bench.queue()
            _ = bench.release(handles[0])
            let actions = bench.checked(handles[1], alive: false, provesLoss: provesLoss)
            #expect(actions.closes == [.init(handle: handles[1], reason: provesLoss ? .lost : .unusable)])
            #expect(bench.release(handles[0]).checks == (provesLoss ? [handles[0]] : []))
            #expect(bench.machine.snapshot().healthChecksFailed == 1)
        }
    }

    struct Return: CustomTestStringConvertible {
        let testDescription: String
        let condition: ReleaseCondition
        let expected: @Sendable (ConnectionHandle, MonotonicInstant) -> [PoolAction]
    }

    static let returns = [
        Return(testDescription: "clean becomes idle", condition: .clean) { _, _ in [] },
        Return(testDescription: "an open transaction is reset", condition: .needsReset) { handle, now in
            [.reset(handle, deadline: now.advanced(by: .seconds(2)))]
        },
        Return(testDescription: "an unusable one is closed", condition: .unusable) { handle, now in
            [.notice(.closing(handle, .unusable)), .close(handle, .unusable, deadline: now.advanced(by: .seconds(2)))]
        },
        Return(testDescription: "a leaked one is reported and closed", condition: .leaked) { handle, now in
            [
                .notice(.leaked(handle, site: BorrowSite(file: "bench", line: 1))),
                .notice(.closing(handle, .leaked)),
                .close(handle, .leaked, deadline: now.advanced(by: .seconds(2))),
            ]
        },
    ]

    @Test("What becomes of a connection that comes back", arguments: returns)
    func condition(_ row: Return) throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1))
        let handle = try bench.openLeased(1)[0]
        #expect(bench.release(handle, row.condition) == row.expected(handle, bench.now))
    }

    @Test("A reset that succeeds serves the next waiter; one that fails closes the connection")
    func resetEnds() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1))
        let handle = try bench.openLeased(1)[0]
        let waiter = try bench.queue().waiter
        _ = bench.release(handle, .needsReset)
        #expect(bench.wasReset(handle, clean: true).grants == [.init(waiter: waiter, handle: handle)])
        _ = bench.release(handle, .needsReset)
        #expect(
            bench.wasReset(handle, clean: false, provesLoss: true).closes == [.init(handle: handle, reason: .lost)])
        #expect(bench.machine.snapshot().resets == 2)
    }
}
