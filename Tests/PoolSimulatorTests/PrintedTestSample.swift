import ConnectionPool
import PoolSimulator
import RigTestSupport
import Testing

// Printed by LifePrinter; PrintedTestTests looks whether it still is what would be printed.
func simulatedSeed7() {
    let life = SimulatedLife(
        configuration: PoolConfiguration(
            maxOpen: 2, minIdle: 1, maxIdle: 1, maxWaiters: 3,
            maxLifetime: .milliseconds(1_500), maxLifetimeJitter: 0.25,
            maxIdleTime: .seconds(3), connectTimeout: .nanoseconds(1_234_567),
            checkTimeout: .seconds(1), releaseTimeout: .milliseconds(5),
            checkAfterIdle: .zero, idleOrder: .roundRobin,
            healthCheckInterval: .seconds(5), leakThreshold: .milliseconds(40),
            overtaking: .milliseconds(1), maxConnecting: 2, connectsPerSecond: 50.5,
            breakerAfter: nil, isInstrumented: false, backoffFirst: .milliseconds(1),
            backoffCap: .milliseconds(2)),
        machineSeed: 7,
        events: [
            .borrow(within: 1_000_000_000, loop: -1),
            .queue(within: 0, loop: 1),
            .cancel(waiter: 0),
            .answer(call: 0, .well),
            .answer(call: 0, .failed),
            .cancelLate(lease: 0),
            .findDead(lease: 0),
            .waitUntilFilled,
            .cancelFillWait,
            .kill(connection: 0),
            .killAll,
            .idleEvent(connection: 0),
            .suspend,
            .resume,
            .stall(12_345),
            .earlyAlarm,
            .resize(maxOpen: 3, minIdle: 0, maxIdle: nil),
            .resize(maxOpen: 2, minIdle: 1, maxIdle: 2),
            .retireAll,
            .noteLoss(lease: 0),
            .pass(20_000_000),
            .giveBack(lease: 0, .needsReset),
            .giveBack(lease: 0, .leaked),
            .release(lease: 0),
            .close(cancelAfter: nil, cutAfter: 5),
            .close(cancelAfter: 4, cutAfter: 5_000),
            .releaseCut(lease: 0),
            .settle,
            .giveBackUntaken(lease: 0),
            .finish,
        ])
    #expect(life.replay(on: PlantedDefect.warmUpIsNotTold.machine).failure == nil)
}
