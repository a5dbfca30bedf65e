import ConnectionPool
import RigModel
import Testing
import Threading

/// Who gets which connection, and when nobody does.
@Suite("Pool state machine: acquire")
struct AcquireTests {
    @Test("Waiters are served in the order of their arrival")
    func waitersAreServedInOrder() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1))
        let only = try bench.openLeased(1)[0]
        let waiters = try (0..<3).map { _ in try bench.queue().waiter }
        for waiter in waiters {
            #expect(bench.release(only) == [.grant(waiter: waiter, only)])
        }
        #expect(bench.release(only).isEmpty)
        #expect(bench.machine.gauges.idle == 1)
    }

    @Test("The idle connection that was used last is lent first")
    func idleIsLIFO() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 3))
        let idle = try bench.openIdle(3)
        #expect(try (0..<3).map { _ in try bench.lend() } == idle.reversed())
    }

    @Test("Round robin lends the connection that has been idle for longest, on the short way and with a waiter")
    func roundRobin() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 3, idleOrder: .roundRobin))
        let idle = try bench.openIdle(3)
        #expect(try bench.lend() == idle[0])
        var short: ConnectionHandle?
        #expect(bench.tell { short = $0.lendFresh(now: $1, affinity: -1, site: .here()) }.isEmpty)
        #expect(short == idle[1])
        #expect(bench.release(idle[0]).isEmpty)
        #expect(try bench.lend() == idle[2])
        #expect(try bench.lend() == idle[0])
    }

    @Test("Of idle connections the borrower's loop has its own first, of those used last")
    func ownLoopFirst() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 3))
        let handles = try bench.openLeased(3)
        for (handle, loop) in zip(handles, [Int32(0), 1, 2]) {
            _ = bench.tell { $0.release(handle, .clean, affinity: loop, now: $1) }
        }
        var lent: [ConnectionHandle?] = []
        for loop in [Int32(1), 1, 7] {
            _ = bench.tell { lent.append($0.lendFresh(now: $1, affinity: loop, site: .here())) }
        }
        #expect(lent == [handles[1], handles[2], handles[0]])
    }

    @Test("A waiter on the connection's own loop overtakes within the time that is allowed, and not beyond it")
    func overtaking() throws {
        for (allowed, winner) in [(Duration.zero, 0), (.milliseconds(4), 0), (.milliseconds(5), 1)] {
            var bench = MachineBench(PoolConfiguration(maxOpen: 1, overtaking: allowed))
            let only = try bench.openLeased(1)[0]
            var waiters: [Int] = []
            for loop in [Int32(0), 1] {
                var decision = AcquireDecision.refuse(.closed)
                _ = bench.tell { decision = $0.acquire(now: $1, deadline: .distantFuture, affinity: loop) }
                waiters.append(try #require(decision.waiter))
                bench.skip(.milliseconds(5))
            }
            let actions = bench.tell { $0.release(only, .clean, affinity: 1, now: $1) }
            #expect(actions == [.grant(waiter: waiters[winner], only)], "overtaking \(allowed)")
        }
    }

    @Test("Without instrumentation the counters remain and the histograms stay empty")
    func instrumentation() throws {
        for isInstrumented in [true, false] {
            var bench = MachineBench(PoolConfiguration(maxOpen: 1, isInstrumented: isInstrumented))
            let only = try bench.openIdle(1)[0]
            #expect(try bench.lend() == only)
            _ = bench.release(only)
            let metrics = bench.machine.snapshot()
            #expect(metrics.acquireCount == 2)
            #expect(metrics.acquireWait.count == (isInstrumented ? 2 : 0))
            #expect(metrics.leaseDuration.count == (isInstrumented ? 2 : 0))
        }
    }

    @Test("A fresh idle connection is lent although a doubtful one lies above it")
    func freshBelowDoubtful() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2, checkAfterIdle: .milliseconds(100)))
        let handles = try bench.openLeased(2)
        bench.skip(.milliseconds(99))
        _ = bench.release(handles[0])
        // The second one comes back as it was lent, unused: nothing has proven it meanwhile.
        _ = bench.tell { $0.returnUnused(handles[1], now: $1) }
        bench.skip(.milliseconds(50))
        #expect(try bench.lend() == handles[0])
        #expect(try bench.queue().actions.checks == [handles[1]])
    }

    @Test("Connections are opened for waiters, not more than maxOpen and maxConnecting allow")
    func opensWithinTheLimits() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 3, maxConnecting: 2))
        var connects: [ConnectionHandle] = []
        for _ in 0..<5 { connects += try bench.queue().actions.connects }
        #expect(connects.count == 2)
        connects += bench.connected(connects[0]).connects
        #expect(connects.count == 3)
        for handle in connects[1...] { #expect(bench.connected(handle).connects.isEmpty) }
        #expect(bench.machine.gauges.inUse == 3)
        #expect(bench.machine.gauges.waiting == 2)
    }

    @Test("Whoever is first in line gets whichever connection is ready first")
    func waitsOnThePoolNotOnAConnect() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        let first = try bench.queue()
        let second = try bench.queue()
        #expect(bench.connected(second.actions.connects[0]).grants.map(\.waiter) == [first.waiter])
        #expect(bench.connected(first.actions.connects[0]).grants.map(\.waiter) == [second.waiter])
    }

    @Test("One budget covers queue, check and connect")
    func budgetCoversEverything() throws {
        var bench = MachineBench(
            PoolConfiguration(maxOpen: 1, connectTimeout: .seconds(60), releaseTimeout: .seconds(60)))
        let handle = try bench.openIdle(1)[0]
        bench.skip(.seconds(1))
        // A check that takes 400 ms and fails, and a connect that does not end.
        let (waiter, actions) = try bench.queue(within: .seconds(1))
        #expect(actions.checks == [handle])
        #expect(bench.pass(.milliseconds(400)).refusals.isEmpty)
        _ = bench.checked(handle, alive: false)
        #expect(bench.disconnected(handle).connects.count == 1)
        #expect(bench.pass(.milliseconds(599)).refusals.isEmpty)
        let late = bench.pass(.milliseconds(1))
        #expect(late.refusals == [waiter])
        guard case .refuse(_, .acquireTimedOut(let waited, let gauges, 1, nil)) = late.last else {
            Issue.record("refused with \(late)")
            return
        }
        #expect(waited == .seconds(1))
        #expect(gauges.connecting == 1)
        #expect(bench.machine.snapshot().acquireTimeouts == 1)
    }

    @Test("The error of an acquire that timed out tells why connects fail")
    func timeoutTellsTheConnectFailure() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1))
        let queued = try bench.queue(within: .milliseconds(10))
        _ = bench.connectFailed(queued.actions.connects[0])
        let refusal = bench.pass(.milliseconds(10)).last { if case .refuse = $0 { true } else { false } }
        guard case .refuse(_, .acquireTimedOut(_, _, _, let failure)) = refusal else {
            Issue.record("refused with \(String(describing: refusal))")
            return
        }
        #expect(failure == "refused")
    }

    @Test("An acquire whose time is over does not wait, but takes what is idle")
    func deadlineThatHasPassed() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1))
        #expect(bench.acquire(within: .zero).decision.refusal?.cause == .timedOut)
        _ = try bench.openIdle(1)
        #expect(bench.acquire(within: .zero).decision.lent != nil)
    }

    @Test("One acquire more than maxWaiters is refused at once; the next is not")
    func maxWaiters() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1, maxWaiters: 2))
        let waiter = try bench.queue().waiter
        _ = try bench.queue()
        #expect(bench.acquire().decision == .refuse(.tooManyWaiters(limit: 2)))
        _ = bench.tell { machine, _ in machine.cancel(waiter: waiter) }
        _ = try bench.queue()
    }

    @Test("A cancelled waiter is refused, gets no grant, and its connect goes on for the next one")
    func cancelledWaiter() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1))
        let first = try bench.queue()
        let second = try bench.queue()
        let actions = bench.tell { machine, _ in machine.cancel(waiter: first.waiter) }
        #expect(actions == [.refuse(waiter: first.waiter, .cancelled)])
        #expect(bench.tell { machine, _ in machine.cancel(waiter: first.waiter) }.isEmpty)
        #expect(bench.connected(first.actions.connects[0]).grants.map(\.waiter) == [second.waiter])
        #expect(bench.machine.snapshot().acquireCancelled == 1)
    }

    @Test("The connect of a cancelled acquire becomes an idle connection")
    func cancelledAcquireLeavesAnIdleConnection() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1))
        let (waiter, actions) = try bench.queue()
        #expect(bench.tell { machine, _ in machine.cancel(waiter: waiter) }.count == 1)
        #expect(bench.connected(actions.connects[0]).isEmpty)
        #expect(try bench.lend() == actions.connects[0])
    }

    @Test("A grant that its borrower could not take goes to the next waiter, and is not counted as an acquire")
    func refusedGrantMovesOn() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1))
        let only = try bench.openLeased(1)[0]
        let first = try bench.queue().waiter
        let second = try bench.queue().waiter
        bench.skip(.milliseconds(5))
        #expect(bench.release(only).grants.map(\.waiter) == [first])
        #expect(bench.tell { $0.returnUnused(only, now: $1) } == [.grant(waiter: second, only)])
        let metrics = bench.machine.snapshot()
        #expect(metrics.acquireCount == 2)
        #expect(metrics.waitCount == 2)
        #expect(metrics.waitDuration == .milliseconds(5))
        #expect(metrics.acquireCancelled == 1)
    }

    @Test("Borrowers of dead connections come back in the order in which they first came, before those who came later")
    func placeInLineIsKept() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        let handles = try bench.openIdle(2)
        _ = try bench.lend()
        _ = try bench.lend()
        let later = try bench.queue().waiter
        // The pool lent handles[1] first.
        let turns = try [1, 0].map { index in
            var turn: Turn?
            _ = bench.tell { turn = $0.returnDead(handles[index], now: $1) }
            return try #require(turn)
        }
        // They come back in the opposite order.
        for turn in turns.reversed() { _ = bench.acquire(turn: turn) }
        var served: [Int] = []
        for handle in handles {
            let replacement = try #require(bench.disconnected(handle).connects.first)
            served += bench.connected(replacement).grants.map(\.waiter)
            served += bench.release(replacement).grants.map(\.waiter)
        }
        #expect(served.prefix(3) == [turns[0].ticket, turns[1].ticket, later])
    }

    @Test("An acquire that comes back counts its wait from the beginning and ignores maxWaiters")
    func returningAcquireKeepsItsTime() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1, maxWaiters: 1))
        let dead = try bench.openIdle(1)[0]
        _ = try bench.lend()
        let deadline = Duration.seconds(1)
        _ = try bench.queue()
        bench.skip(.milliseconds(300))
        var turn: Turn?
        _ = bench.tell { turn = $0.returnDead(dead, now: $1) }
        let returned = try #require(turn)
        #expect(bench.acquire(within: deadline, turn: returned).decision == .wait(returned.ticket))
        let late = bench.pass(.seconds(1)).compactMap { action -> Duration? in
            guard case .refuse(returned.ticket, .acquireTimedOut(let waited, _, _, _)) = action else { return nil }
            return waited
        }
        #expect(late == [.milliseconds(1_300)])
    }

    @Test("While every connection is closing, a waiter waits, and gets the first new one")
    func allClosing() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        let handles = try bench.openLeased(2)
        for handle in handles { #expect(bench.release(handle, .unusable).closes.map(\.reason) == [.unusable]) }
        let (waiter, actions) = try bench.queue()
        #expect(actions.isEmpty)
        let replacement = try #require(bench.disconnected(handles[1]).connects.first)
        #expect(bench.connected(replacement).grants.map(\.waiter) == [waiter])
    }
}
