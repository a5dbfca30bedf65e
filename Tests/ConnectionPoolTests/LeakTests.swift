import ConnectionPool
import Testing
import Threading

@Suite("Pool state machine: leaks")
struct LeakTests {
    @Test("A lease past the threshold is suspected once, with its borrower, and cleared when it comes back")
    func suspectedAndCleared() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1, leakThreshold: .seconds(4)))
        let handle = try bench.openLeased(1)[0]
        #expect(bench.pass(.milliseconds(3_900)).notices.isEmpty)
        guard case .leakSuspected(handle, let site, let held) = bench.pass(.milliseconds(1_100)).notices.first else {
            Issue.record("nothing is suspected")
            return
        }
        #expect(site == BorrowSite(file: "bench", line: 1))
        #expect(held >= .seconds(4))
        #expect(bench.pass(.seconds(60)).notices.isEmpty)
        #expect(bench.release(handle).notices == [.leakCleared(handle)])
        #expect(bench.machine.snapshot().leaksSuspected == 1)
        // The next lease of the same connection begins anew.
        _ = try bench.lend()
        #expect(bench.pass(.seconds(3)).notices.isEmpty)
        #expect(bench.pass(.seconds(3)).notices.count == 1)
    }

    @Test("A lease that dies unreleased is a leak, not an all-clear")
    func leaked() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 1, leakThreshold: .seconds(1)))
        let handle = try bench.openLeased(1)[0]
        #expect(bench.pass(.seconds(2)).notices.count == 1)
        #expect(
            bench.release(handle, .leaked).notices == [
                .leaked(handle, site: BorrowSite(file: "bench", line: 1)), .closing(handle, .leaked),
            ])
    }

    @Test("Open leases are listed with who holds them and since when")
    func openLeases() throws {
        var bench = MachineBench(PoolConfiguration(maxOpen: 2))
        let handle = try bench.openIdle(1)[0]
        bench.skip(.milliseconds(100))
        #expect(bench.acquire(line: 77).decision.lent == handle)
        let leases = bench.machine.openLeases
        #expect(leases.map(\.connection) == [handle])
        #expect(leases.map(\.site) == [BorrowSite(file: "bench", line: 77)])
        #expect(leases.map(\.since) == [bench.now])
        _ = bench.release(handle)
        #expect(bench.machine.openLeases.isEmpty)
    }
}
