import ConnectionPool
import Testing
import Threading

/// What `chaosrig simulate` found in the state machine, each as short as it got.
@Suite("Pool state machine: found by simulation")
struct FoundBySimulationTests {
    @Test("A resize that asks for fewer idle connections than are open tells that the pool is filled")
    func resizeFills() {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1, minIdle: 1))
        #expect(bench.tell { $0.resize(maxOpen: 1, minIdle: 0, maxIdle: nil, now: $1) } == [.filled])
    }

    @Test("Lending the short way orders what minIdle asks for in its place, like the long way")
    func shortWayKeepsMinIdle() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2, minIdle: 1))
        _ = bench.connected(bench.atStart.connects[0])
        let actions = bench.tell { machine, now in
            let site = BorrowSite(file: "bench", line: 1)
            guard machine.lendFresh(now: now, affinity: -1, site: site) == nil else { return }
            _ = machine.acquire(now: now, deadline: now.advanced(by: .seconds(1)), site: site)
        }
        #expect(actions.connects.count == 1)
    }

    @Test("An old connection that answers does not end the back-off of new ones that are dropped and refused")
    func oldAnswerKeepsBackoff() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 4, minIdle: 2))
        let handles = try bench.openLeased(2)
        let next = try #require(
            bench.tell { _ = $0.returnDead(handles[1], now: $1) }.connects.first ?? bench.connecting.first)
        _ = bench.connectFailed(next)
        #expect(bench.release(handles[0]).connects.isEmpty)
    }

    @Test("A suspected leak whose borrower had not even begun is taken back")
    func untakenLeakIsCleared() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1, leakThreshold: .milliseconds(100)))
        let handle = try bench.openLeased(1)[0]
        _ = bench.pass(.seconds(1))
        let actions = bench.tell { $0.returnUnused(handle, now: $1) }
        #expect(actions.contains(.notice(.leakCleared(handle))))
    }

    @Test("A check that begins just before the pool looks over its connections is seen to be slow as soon as any other")
    func slowCheckIsSeenInTime() throws {
        var bench = MachineBench(
            PoolConfiguration(maxOpen: 2, checkTimeout: .seconds(10), healthCheckInterval: .seconds(8)))
        _ = try bench.openIdle(1)
        // The pool looks every second; the check begins a little before it does.
        _ = bench.pass(.milliseconds(3_900))
        #expect(try bench.queue().actions.connects.isEmpty)
        #expect(bench.pass(.milliseconds(249)).connects.isEmpty)
        #expect(bench.pass(.milliseconds(1)).connects.count == 1)
    }
}
