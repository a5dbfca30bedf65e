import ConnectionPool
import Testing
import Threading

@Suite("Pool state machine: resize, suspend, retire")
struct ControlTests {
    @Test("A pool that grows serves those who wait at once, and the growth is used like the rest")
    func growing() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1, maxConnecting: 8))
        _ = try bench.openLeased(1)
        var waiters: [Int] = []
        for _ in 0..<3 {
            let (waiter, actions) = try bench.queue()
            #expect(actions.connects.isEmpty)
            waiters.append(waiter)
        }
        let connects = bench.resize(maxOpen: 3).connects
        #expect(connects.count == 2)
        #expect(bench.connected(connects[1]).grants.map(\.waiter) == [waiters[0]])
        #expect(bench.connected(connects[0]).grants.map(\.waiter) == [waiters[1]])
        #expect(bench.machine.snapshot().maxOpenConnections == 3)
    }

    @Test("A pool that shrinks closes idle connections now and those in use when they come back, and no more than that")
    func shrinking() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 6))
        let handles = try bench.openLeased(6)
        for handle in handles[..<2] { _ = bench.release(handle) }
        let closes = bench.resize(maxOpen: 2).closes
        #expect(closes == handles[..<2].map { .init(handle: $0, reason: .resized) })
        // Someone who comes now waits until the pool is small enough.
        let waiter = try bench.queue().waiter
        for handle in handles[2..<4] {
            #expect(bench.release(handle).closes == [.init(handle: handle, reason: .resized)])
        }
        #expect(bench.release(handles[4]) == [.grant(waiter: waiter, handles[4])])
        #expect(bench.release(handles[5]).isEmpty)
        for handle in handles[..<4] { #expect(bench.disconnected(handle).isEmpty) }
        #expect(bench.machine.gauges.open == 2)
        #expect(bench.release(handles[4]).isEmpty)
    }

    @Test("A pool that shrinks and grows again before anything came back closes nothing")
    func shrinkAndGrow() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 3))
        let handles = try bench.openLeased(3)
        #expect(bench.resize(maxOpen: 1).isEmpty)
        #expect(bench.resize(maxOpen: 3).isEmpty)
        for handle in handles { #expect(bench.release(handle).isEmpty) }
        #expect(bench.machine.gauges.idle == 3)
    }

    @Test("A resize may ask for more connections ahead, and may keep fewer idle ones")
    func resizedIdleLimits() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 4, maxConnecting: 4))
        let opened = bench.resize(maxOpen: 4, minIdle: 3).connects
        #expect(opened.count == 3)
        for handle in opened { _ = bench.connected(handle) }
        #expect(bench.resize(maxOpen: 4, maxIdle: 1).closes.map(\.reason) == [.resized, .resized])
        #expect(bench.machine.gauges.idle == 1)
    }

    @Test("A suspended pool lends nothing, takes back what is out, and serves in order of arrival when it goes on")
    func suspended() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        let handles = try bench.openLeased(2)
        #expect(bench.release(handles[0]).isEmpty)
        #expect(bench.tell { $0.suspend(now: $1) }.isEmpty)
        #expect(bench.machine.snapshot().isSuspended)
        let first = try bench.queue().waiter
        let impatient = try bench.queue(within: .seconds(1)).waiter
        let second = try bench.queue().waiter
        #expect(bench.release(handles[1]).isEmpty)
        #expect(bench.pass(.seconds(2)).refusals == [impatient])
        let actions = bench.tell { $0.resume(now: $1) }
        // They have not been used for seconds: each is asked first.
        #expect(actions.checks.count == 2)
        #expect(bench.checked(handles[1], alive: true) == [.grant(waiter: first, handles[1])])
        #expect(bench.checked(handles[0], alive: true) == [.grant(waiter: second, handles[0])])
        #expect(!bench.machine.snapshot().isSuspended)
    }

    @Test("A suspended pool opens nothing, neither for a waiter nor ahead of one")
    func suspendedOpensNothing() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        _ = bench.tell { $0.suspend(now: $1) }
        #expect(try bench.queue().actions.connects.isEmpty)
        #expect(bench.resize(maxOpen: 3, minIdle: 2).connects.isEmpty)
        #expect(bench.tell { $0.resume(now: $1) }.connects.count == 3)
    }

    @Test("A suspended pool can be closed")
    func suspendedCloses() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1))
        let handle = try bench.openIdle(1)[0]
        _ = bench.tell { $0.suspend(now: $1) }
        let waiter = try bench.queue().waiter
        #expect(bench.close(within: .seconds(1)).refusals == [waiter])
        #expect(bench.disconnected(handle) == [.closed(leasesCut: 0)])
    }

    @Test("Retiring replaces every connection of that moment, none twice, and disturbs no lease")
    func retiring() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 4, maxConnecting: 4))
        let handles = try bench.openLeased(3)
        _ = bench.release(handles[0])
        let connecting = try #require(bench.resize(maxOpen: 4, minIdle: 2).connects.first)
        #expect(
            bench.tell { $0.retireAll(now: $1) }.closes == [.init(handle: handles[0], reason: .retired)])
        // Also the one that was on its way: its server may be the one that is left.
        #expect(bench.connected(connecting).closes == [.init(handle: connecting, reason: .retired)])
        #expect(bench.release(handles[1]).closes == [.init(handle: handles[1], reason: .retired)])
        #expect(bench.release(handles[2], .needsReset).resets == [handles[2]])
        #expect(bench.wasReset(handles[2], clean: true).closes == [.init(handle: handles[2], reason: .retired)])
        let fresh = bench.disconnected(handles[0]).connects
        #expect(fresh.count == 1)
        #expect(bench.connected(fresh[0]).closes.isEmpty)
    }

    @Test("The pool tells once that its warm-up is done: when minIdle connections are open, idle or lent")
    func filled() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 4, minIdle: 2))
        let connects = bench.atStart.connects
        #expect(connects.count == 2)
        #expect(!bench.connected(connects[0]).contains(.filled))
        let borrowed = try bench.lend()
        #expect(bench.connected(connects[1]).contains(.filled))
        #expect(!bench.release(borrowed).contains(.filled))
    }
}
