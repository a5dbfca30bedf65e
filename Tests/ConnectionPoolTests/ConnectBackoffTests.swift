import ConnectionPool
import Testing
import Threading

/// What the pool does while connects fail.
@Suite("Pool state machine: back-off")
struct ConnectBackoffTests {
    static let configuration = PoolConfiguration(
        maxOpen: 4, maxConnecting: 4, backoffFirst: .milliseconds(20), backoffCap: .seconds(1))

    /// Fails the one connect in flight; returns how long the pool waits until the next one.
    private func pause(_ bench: inout MachineBench, after handle: inout ConnectionHandle) throws -> Duration {
        var actions = bench.connectFailed(handle)
        let failedAt = bench.now
        while actions.connects.isEmpty {
            let next = bench.machine.nextAlarm()
            let alarm = try #require(next)
            try #require(failedAt.duration(to: alarm) <= .seconds(2), "no connect follows")
            actions = bench.pass(bench.now.duration(to: alarm))
        }
        #expect(actions.connects.count == 1)
        handle = actions.connects[0]
        return failedAt.duration(to: bench.now)
    }

    @Test("The pause is random below a bound that doubles up to the cap")
    func fullJitter() throws {
        var sums = [Duration](repeating: .zero, count: 12)
        let seeds = 200
        for seed in 0..<seeds {
            var bench = MachineBench(Self.configuration, seed: UInt64(seed))
            var handle = try #require(bench.queue(within: .seconds(1_000)).actions.connects.first)
            for failure in sums.indices {
                let bound = min(Duration.milliseconds(20 << failure), .seconds(1))
                let pause = try pause(&bench, after: &handle)
                #expect(pause <= bound, "seed \(seed), failure \(failure)")
                sums[failure] += pause
            }
        }
        // The mean of a uniform pause is half its bound; 200 draws come within a fifth of that (more than 4 sigma).
        for (failure, sum) in sums.enumerated() {
            let half = min(0.020 * Double(1 << failure), 1) / 2
            #expect(abs(sum.seconds / Double(seeds) - half) < half / 5, "failure \(failure)")
        }
    }

    @Test("After a failure one connect tries for all; after a success all go on")
    func oneConnectWhileFailing() throws {
        var bench = MachineBench(Self.configuration)
        var connects: [ConnectionHandle] = []
        for _ in 0..<4 { connects += try bench.queue(within: .seconds(1_000)).actions.connects }
        #expect(connects.count == 4)
        for handle in connects { #expect(bench.connectFailed(handle).connects.isEmpty) }
        let probe = bench.pass(.seconds(1)).connects
        #expect(probe.count == 1)
        #expect(bench.connected(probe[0]).connects.count == 3)
        #expect(bench.machine.snapshot().connectFailures == 4)
    }

    @Test("While the one connect is in flight the alarm does not spin")
    func alarmRestsDuringTheProbe() throws {
        var bench = MachineBench(Self.configuration)
        for _ in 0..<3 { _ = try bench.queue(within: .seconds(1_000)) }
        for handle in bench.connecting { _ = bench.connectFailed(handle) }
        #expect(bench.pass(.seconds(1)).connects.count == 1)
        // The pause is over and more connections are wanted; still nothing is due but the next look at everything.
        let next = bench.machine.nextAlarm()
        #expect(try #require(next) > bench.now)
    }

    @Test("Nobody connects for a waiter that has gone")
    func noConnectWithoutDemand() throws {
        var bench = MachineBench(Self.configuration)
        let (_, actions) = try bench.queue(within: .milliseconds(1))
        _ = bench.connectFailed(actions.connects[0])
        #expect(bench.pass(.seconds(5)).connects.isEmpty)
    }

    @Test("An outage of minutes costs about one connect for each half of the cap, not a storm, with minIdle wanted")
    func noStormForMinIdle() throws {
        var bench = MachineBench(
            PoolConfiguration(
                maxOpen: 10, minIdle: 10, maxConnecting: 4, backoffFirst: .milliseconds(20), backoffCap: .seconds(1)))
        var pending = bench.atStart.connects
        #expect(pending.count == 4)
        var attempts = 0
        let end = bench.now.advanced(by: .seconds(120))
        while bench.now < end {
            for handle in pending { pending = bench.connectFailed(handle).connects }
            attempts += 1
            pending = bench.pass(.milliseconds(10)).connects
            #expect(pending.count <= 1)
            while pending.isEmpty, bench.now < end { pending = bench.pass(.milliseconds(10)).connects }
        }
        #expect((150...400).contains(attempts))
        while pending.isEmpty { pending = bench.pass(.milliseconds(10)).connects }
        // The server is back: the pool fills up by maxConnecting at a time.
        var most = 0
        while !pending.isEmpty {
            most = max(most, pending.count)
            pending += bench.connected(pending.removeFirst()).connects
        }
        #expect(most == 4)
        #expect(bench.machine.gauges.idle == 10)
    }
}
