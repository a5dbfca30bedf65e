import ConnectionPool
import EventLoop
import Threading

/// Acquire and release at once, as the other pools are measured.
///
/// Nothing suspends while a connection is idle, so a worker would keep its thread until the end of the measurement: it lets
/// the others go on after every 64, as the harness does with the pools of coroutines in Python.
struct AcquireRelease<D: Driver>: BenchOperation {
    let pool: Pool<D>
    var yieldEvery: Int { 64 }

    func run(_ keys: inout KeyStream) async throws -> UInt64 {
        try await pool.acquire(site: .here()).release()
        return 0
    }
}

/// Acquire, hold for a while without a thread, release. Only the pool's own time counts as the latency.
struct AcquireHoldRelease<D: Driver>: BenchOperation {
    let pool: Pool<D>
    let loops: EventLoopGroup
    let holdNanoseconds: UInt64

    func run(_ keys: inout KeyStream) async throws -> UInt64 {
        let lease = try await pool.acquire(site: .here())
        let start = MonotonicInstant.now
        let end = MonotonicInstant(nanoseconds: start.nanoseconds + holdNanoseconds)
        do { try await loops.nearest().sleep(until: end) } catch {
            lease.release()
            throw error
        }
        let held = MonotonicInstant.now.nanoseconds - start.nanoseconds
        lease.release()
        return held
    }
}
