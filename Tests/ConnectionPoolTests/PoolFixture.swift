import ConnectionPool
import RigTestSupport
import Testing
import Threading

/// A pool on manual time, with a driver that does what the test says.
struct PoolFixture {
    let runtime: ManualRuntime
    let driver: FakeDriver
    let observer = RecordingObserver()
    let pool: Pool<FakeDriver>

    init(
        _ configuration: PoolConfiguration = PoolConfiguration(maxOpen: 2), seed: UInt64 = 1,
        onConnect: @escaping @Sendable (Int) -> FakeDriver.ConnectAnswer = { _ in .succeed }
    ) {
        runtime = ManualRuntime()
        driver = FakeDriver(runtime: runtime, onConnect: onConnect)
        pool = Pool(
            driver: driver, configuration: configuration, runtime: runtime, seed: seed, observer: observer)
    }

    /// Borrows in a task of its own; the lease lives until its holder is dropped or told to release.
    func acquireInTask(deadline: MonotonicInstant = .distantFuture) -> Task<HeldLease, any Error> {
        Task { HeldLease(try await pool.acquire(deadline: deadline, site: .here())) }
    }

    /// Opens this many connections, and leaves them idle.
    func open(_ count: Int) async throws {
        var leases: [HeldLease] = []
        for _ in 0..<count { leases.append(HeldLease(try await pool.acquire(site: .here()))) }
        for lease in leases { lease.release() }
    }

    /// Waits for what other tasks do. There is no event for it, so it looks again and again, letting the others run.
    func eventually(
        _ isMet: @Sendable (PoolGauges) -> Bool, _ location: SourceLocation = #_sourceLocation
    ) async throws {
        while !isMet(pool.gauges) {
            try Task.checkCancellation()
            await Task.yield()
        }
    }

    /// Waits until the pool refuses everybody.
    func untilClosing() async throws {
        while true {
            try Task.checkCancellation()
            do throws(PoolError) {
                try await pool.acquire(deadline: runtime.now, site: .here()).release()
            } catch {
                if error == .closed { return }
            }
            await Task.yield()
        }
    }

    /// Closes the pool without letting time pass, and looks whether anything is left.
    func closeCleanly(_ location: SourceLocation = #_sourceLocation) async throws {
        #expect(await pool.close() == 0, sourceLocation: location)
        try await expectNothingLeft(location)
        #expect(driver.books.value.open.isEmpty, sourceLocation: location)
        #expect(driver.books.value.abandoned == 0, sourceLocation: location)
    }

    func expectNothingLeft(_ location: SourceLocation = #_sourceLocation) async throws {
        try await runtime.untilWorkEnds()
        #expect(pool.gauges == PoolGauges(), sourceLocation: location)
        #expect(pool.brokenInvariant() == nil, sourceLocation: location)
        #expect(runtime.alarmCount == 0, sourceLocation: location)
        #expect(driver.books.value.violations == [], sourceLocation: location)
        #expect(driver.books.value.connecting == 0, sourceLocation: location)
        #expect(driver.books.value.peak <= pool.configuration.maxOpen, sourceLocation: location)
    }
}

/// A lease in a place where it can be shared. Dropped unreleased it is a leak, like any lease.
final class HeldLease: Sendable {
    private let lease: Lock<LeaseBox>
    let connection: FakeConnection

    init(_ lease: consuming Lease<FakeDriver>) {
        connection = lease.connection
        self.lease = Lock(LeaseBox(lease))
    }

    func release() { lease.withLock { $0.release() } }
}

private final class LeaseBox {
    private var lease: Lease<FakeDriver>?
    init(_ lease: consuming Lease<FakeDriver>) { self.lease = consume lease }
    func release() { lease.take()?.release() }
}

/// Keeps what the pool tells.
final class RecordingObserver: PoolObserver {
    struct Told: Sendable {
        var notices: [PoolNotice] = []
        var connected: [Int] = []
        var connectFailures: [DriverError] = []
    }

    let told = Watched(Told())

    func poolConnected(_ handle: ConnectionHandle, backendPID: Int?, took: Duration) {
        told.change { $0.connected.append(handle.serial) }
    }

    func poolConnectFailed(_ error: DriverError) { told.change { $0.connectFailures.append(error) } }

    func poolNoticed(_ notice: PoolNotice, backendPID: Int?) { told.change { $0.notices.append(notice) } }
}
