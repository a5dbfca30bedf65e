import ConnectionPool
import Testing
import Threading

@Suite("Pool state machine: close")
struct ClosingTests {
    @Test("An empty pool is closed at once, and only once")
    func emptyPool() {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        #expect(bench.close(within: .seconds(1)) == [.closed(leasesCut: 0)])
        #expect(bench.close(within: .seconds(1)).isEmpty)
        #expect(bench.machine.isClosed)
        #expect(bench.machine.nextAlarm() == nil)
        #expect(bench.acquire().decision == .refuse(.closed))
    }

    @Test("A close refuses waiters, closes idle connections, cancels connects, and waits for leases")
    func closeInTheMiddle() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 3))
        let handles = try bench.openLeased(2)
        _ = bench.release(handles[1])
        _ = try bench.lend()
        let (waiter, actions) = try bench.queue()
        let connecting = try #require(actions.connects.first)
        _ = bench.release(handles[1])  // serves the waiter
        let second = try bench.queue().waiter
        #expect(waiter != second)
        let closing = bench.close(within: .seconds(5))
        #expect(closing.refusals == [second])
        #expect(closing.contains(.cancelConnect(connecting)))
        #expect(bench.connectFailed(connecting).isEmpty)
        #expect(bench.release(handles[0]).closes == [.init(handle: handles[0], reason: .poolClosed)])
        #expect(bench.release(handles[1], .needsReset).closes == [.init(handle: handles[1], reason: .poolClosed)])
        #expect(bench.disconnected(handles[0]).isEmpty)
        #expect(bench.disconnected(handles[1]) == [.closed(leasesCut: 0)])
        #expect(bench.machine.snapshot().connectFailures == 0)
    }

    @Test("Idle connections are closed, not lent")
    func idleIsClosed() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        let idle = try bench.openIdle(2)
        #expect(Set(bench.close(within: .seconds(1)).closes.map(\.handle)) == Set(idle))
        #expect(bench.acquire().decision == .refuse(.closed))
        _ = bench.disconnected(idle[0])
        #expect(bench.disconnected(idle[1]) == [.closed(leasesCut: 0)])
    }

    @Test("A connect that succeeds although it was cancelled is closed")
    func lateConnect() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1))
        let connecting = try #require(bench.queue().actions.connects.first)
        _ = bench.close(within: .seconds(1))
        #expect(bench.connected(connecting).closes == [.init(handle: connecting, reason: .poolClosed)])
        #expect(bench.disconnected(connecting) == [.closed(leasesCut: 0)])
    }

    @Test("Leases are cut at the limit and not before; their late return means nothing")
    func leasesAreCut() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        let handles = try bench.openLeased(2)
        #expect(bench.close(within: .seconds(5)).isEmpty)
        #expect(bench.pass(.milliseconds(4_999)).cuts.isEmpty)
        _ = bench.release(handles[0])
        _ = bench.disconnected(handles[0])
        #expect(bench.pass(.milliseconds(1)) == [.cut(handles[1]), .closed(leasesCut: 1)])
        for condition in [ReleaseCondition.clean, .needsReset, .unusable, .leaked] {
            #expect(bench.release(handles[1], condition).isEmpty)
        }
        #expect(bench.tell { $0.lost(handles[1], now: $1) }.isEmpty)
        #expect(bench.tell { $0.returnUnused(handles[1], now: $1) }.isEmpty)
        var turn: Turn? = Turn(ticket: 0, arrivedAt: bench.now)
        #expect(bench.tell { turn = $0.returnDead(handles[1], now: $1) }.isEmpty)
        #expect(turn == nil)
        #expect(bench.machine.gauges == PoolGauges())
    }

    @Test("Statements that still run before the limit are cancelled, once; only what is left then is cut")
    func statementsAreCancelled() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 3))
        let handles = try bench.openLeased(3)
        let cutAt = bench.now.advanced(by: .seconds(5))
        #expect(bench.tell { $0.close(now: $1, cancelAt: $1.advanced(by: .seconds(4)), cutAt: cutAt) }.isEmpty)
        _ = bench.release(handles[0])
        #expect(bench.pass(.milliseconds(3_999)).isEmpty)
        #expect(
            bench.pass(.milliseconds(1)) == handles[1...].map { .cancelStatement($0, deadline: cutAt) })
        _ = bench.release(handles[1])
        for handle in handles[..<2] { _ = bench.disconnected(handle) }
        #expect(bench.pass(.seconds(1)) == [.cut(handles[2]), .closed(leasesCut: 1)])
    }

    @Test("What the pool itself still does at the limit is aborted, and nothing gets a new limit")
    func slowWorkIsAborted() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 3, releaseTimeout: .seconds(60)))
        let handles = try bench.openLeased(3)
        _ = bench.release(handles[0])
        bench.skip(.seconds(1))
        _ = try bench.queue()  // checks handles[0]
        _ = bench.release(handles[1], .needsReset)
        _ = bench.release(handles[2], .unusable)
        #expect(bench.close(within: .seconds(1)).closes.isEmpty)
        #expect(Set(bench.pass(.seconds(1)).aborts) == Set(handles))
        for actions in [
            bench.checked(handles[0], alive: false, provesLoss: true),
            bench.wasReset(handles[1], clean: false, provesLoss: true),
        ] {
            guard case .close(_, _, let deadline) = actions.last else {
                Issue.record("not closed: \(actions)")
                return
            }
            #expect(deadline == bench.now)
        }
        for handle in handles[..<2] { #expect(bench.disconnected(handle).isEmpty) }
        #expect(bench.disconnected(handles[2]) == [.closed(leasesCut: 0)])
    }
}
