import EventLoop
import Threading

/// What a worker does again and again.
protocol BenchOperation: Sendable {
    /// Operations that one call counts for.
    var weight: Int { get }

    /// One operation.
    ///
    /// - Returns: nanoseconds in it that are not to be counted, for example the time that a connection was held.
    func run(_ keys: inout KeyStream) async throws -> UInt64

    /// One worker's share: ``run(_:)`` again and again until the time is over, and at least once.
    ///
    /// - Returns: the words of the first failure.
    func work(_ worker: Int, until end: UInt64, into samples: Samples) async -> String?
}

extension BenchOperation {
    var weight: Int { 1 }

    func work(_ worker: Int, until end: UInt64, into samples: Samples) async -> String? {
        var keys = KeyStream(worker: worker)
        var failure: String?
        var now: UInt64
        repeat {
            let start = MonotonicInstant.now.nanoseconds
            do {
                let excluded = try await run(&keys)
                now = MonotonicInstant.now.nanoseconds
                samples.add(nanoseconds: now - start - excluded, operations: weight)
            } catch {
                now = MonotonicInstant.now.nanoseconds
                samples.failed += 1
                if failure == nil { failure = "\(error)" }
            }
        } while now < end
        return failure
    }
}

/// Runs workers as tasks, each pinned to one thread.
struct TaskMeasurement: Sendable {
    /// The executors of the workers, in turn.
    let executors: [any TaskExecutor]
    let workers: Int

    /// Runs `operation` in every worker until the time is over.
    func run(_ operation: some BenchOperation, seconds: Double, warmUp: Double) async -> Measured {
        let samples = Samples.forWorkers(workers)
        if warmUp > 0 {
            _ = await run(operation, seconds: warmUp, into: samples)
            for one in samples { one.reset() }
        }
        return await run(operation, seconds: seconds, into: samples)
    }

    private func run(_ operation: some BenchOperation, seconds: Double, into samples: [Samples]) async -> Measured {
        let start = MonotonicInstant.now
        let end = start.nanoseconds + UInt64(seconds * 1e9)
        let words = await withTaskGroup(of: String?.self) { group in
            for (number, one) in samples.enumerated() {
                group.addTask(executorPreference: executors[number % executors.count]) {
                    await operation.work(number, until: end, into: one)
                }
            }
            return await group.reduce(String?.none) { $0 ?? $1 }
        }
        return Measured(samples, seconds: start.duration(to: .now).seconds, firstError: words)
    }
}
