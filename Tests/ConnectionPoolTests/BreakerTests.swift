import ConnectionPool
import Testing
import Threading

@Suite("Pool state machine: circuit breaker and rate of connects")
struct BreakerTests {
    private let configuration = PoolConfiguration(
        maxOpen: 2, acquireTimeout: .seconds(100), breakerAfter: .seconds(10), backoffFirst: .seconds(1),
        backoffCap: .seconds(1))

    /// Fails each connect until this much time has passed.
    ///
    /// - Returns: what was refused on the way.
    private func fail(_ bench: inout MachineBench, for duration: Duration) -> [Int] {
        var refusals: [Int] = []
        let end = bench.now.advanced(by: duration)
        while bench.now < end {
            while let connect = bench.connecting.first { refusals += bench.connectFailed(connect).refusals }
            refusals += bench.pass(.milliseconds(100)).refusals
        }
        return refusals
    }

    @Test(
        "Who waits is refused when connects have failed for long enough, who comes then at once, and one probe goes on")
    func opens() throws {
        var bench = MachineBench(configuration)
        let waiters = [try bench.queue(within: .seconds(100)).waiter, try bench.queue(within: .seconds(100)).waiter]
        #expect(fail(&bench, for: .seconds(9)).isEmpty)
        #expect(fail(&bench, for: .seconds(3)) == waiters)
        #expect(bench.machine.snapshot().isBreakerOpen)
        guard case .breakerOpen(let failingFor, let why) = bench.acquire().decision.refusal else {
            Issue.record("an acquire waits although the breaker is open")
            return
        }
        #expect(failingFor >= .seconds(10))
        #expect(why == "refused")
        // Nobody waits any more, and still one connect at a time asks for the server.
        let before = bench.machine.snapshot().connectFailures
        #expect(fail(&bench, for: .seconds(10)).isEmpty)
        let probes = bench.machine.snapshot().connectFailures - before
        #expect((5...100).contains(probes))
        #expect(bench.machine.snapshot().breakerOpened == 1)
    }

    @Test("The first connect that succeeds closes the breaker")
    func closes() throws {
        var bench = MachineBench(configuration)
        _ = try bench.queue(within: .seconds(100))
        _ = fail(&bench, for: .seconds(12))
        while bench.connecting.isEmpty { _ = bench.pass(.milliseconds(100)) }
        let probe = bench.connecting[0]
        _ = bench.connected(probe)
        #expect(!bench.machine.snapshot().isBreakerOpen)
        #expect(bench.acquire().decision == .lend(probe))
    }

    @Test("The breaker stays closed while a connection is open: it may come back")
    func staysClosed() throws {
        var bench = MachineBench(configuration)
        let held = try bench.openLeased(1)[0]
        let waiter = try bench.queue(within: .seconds(100)).waiter
        #expect(fail(&bench, for: .seconds(30)).isEmpty)
        #expect(bench.release(held) == [.grant(waiter: waiter, held)])
    }

    @Test("Without a limit the breaker never opens")
    func never() throws {
        var configuration = configuration
        configuration.breakerAfter = nil
        var bench = MachineBench(configuration)
        let waiter = try bench.queue(within: .seconds(60)).waiter
        #expect(fail(&bench, for: .seconds(59)).isEmpty)
        #expect(fail(&bench, for: .seconds(2)) == [waiter])
        #expect(bench.machine.snapshot().breakerOpened == 0)
    }

    @Test("A pool whose breaker is open can be closed")
    func closing() throws {
        var bench = MachineBench(configuration)
        _ = try bench.queue(within: .seconds(100))
        _ = fail(&bench, for: .seconds(12))
        while let connect = bench.connecting.first { _ = bench.connectFailed(connect) }
        #expect(bench.close(within: .seconds(1)) == [.closed(leasesCut: 0)])
        #expect(bench.acquire().decision == .refuse(.closed))
    }

    @Test("Connects begin no faster than the limit per second, however many wait")
    func rate() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 20, maxConnecting: 20, connectsPerSecond: 4))
        for _ in 0..<20 { _ = bench.acquire(within: .seconds(100)) }
        #expect(bench.connecting.count == 1)
        for expected in [5, 9, 13, 17] {
            _ = bench.pass(.seconds(1))
            #expect(bench.connecting.count == expected)
        }
    }

    @Test("Connections that die before they answered anything are failed connects: no storm, and the error tells")
    func deadOnArrival() throws {
        var bench = MachineBench(
            PoolConfiguration(maxOpen: 4, backoffFirst: .milliseconds(100), backoffCap: .seconds(1)))
        var turn: Turn?
        let end = bench.now.advanced(by: .seconds(60))
        _ = try bench.queue(within: .seconds(60))
        var connects = 0
        var refused: PoolError?
        while bench.now <= end, refused == nil {
            for handle in bench.connecting {
                connects += 1
                guard let grant = bench.connected(handle).grants.first else { continue }
                _ = bench.tell { turn = $0.returnDead(grant.handle, now: $1) }
                _ = bench.disconnected(handle)
                refused = bench.acquire(within: bench.now.duration(to: end), turn: turn).decision.refusal
            }
            for case .refuse(_, let error) in bench.pass(.milliseconds(50)) { refused = error }
        }
        #expect((10...400).contains(connects))
        guard case .acquireTimedOut(_, _, _, let why) = refused else {
            Issue.record("not refused: \(String(describing: refused))")
            return
        }
        #expect(why?.contains("dropped before they answer") == true)
    }
}
