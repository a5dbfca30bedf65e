import ConnectionPool
import EventLoop
import Threading

/// Acquire and release at once, as the other pools are measured.
struct AcquireRelease<D: Driver>: BenchOperation {
    let pool: Pool<D>

    @inline(__always)
    func run(_ keys: inout KeyStream) async throws -> UInt64 {
        try await pool.acquire(site: .here()).release()
        return 0
    }

    /// A loop of its own: after an async call through a protocol the compiler asks the task for its executor, which costs a
    /// third of an acquire.
    ///
    /// Nothing suspends while a connection is idle, so a worker would keep its thread until the end of the measurement: it
    /// lets the others go on after every 64, as the harness does with the pools of coroutines in Python.
    @inline(never)
    func work(_ worker: Int, until end: UInt64, into samples: Samples) async -> String? {
        var keys = KeyStream(worker: worker)
        var untilYield = 64
        var now: UInt64
        repeat {
            let start = MonotonicInstant.now.nanoseconds
            do { _ = try await run(&keys) } catch {
                samples.failed += 1
                return "\(error)"
            }
            now = MonotonicInstant.now.nanoseconds
            samples.add(nanoseconds: now - start)
            untilYield -= 1
            if untilYield == 0 {
                untilYield = 64
                await letOthersGoOn()
            }
        } while now < end
        return nil
    }

    /// Not in the loop itself: the compiler would ask for the executor there, too.
    @inline(never)
    private func letOthersGoOn() async { await Task.yield() }
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
