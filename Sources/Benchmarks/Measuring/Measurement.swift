import EventLoop
import Threading

/// What a worker does again and again.
protocol BenchOperation: Sendable {
    /// How often a worker lets the others of its thread go on; 0: only where it waits anyway.
    var yieldEvery: Int { get }
    /// Operations that one call counts for.
    var weight: Int { get }

    /// One operation.
    ///
    /// - Returns: nanoseconds in it that are not to be counted, for example the time that a connection was held.
    func run(_ keys: inout KeyStream) async throws -> UInt64
}

extension BenchOperation {
    var yieldEvery: Int { 0 }
    var weight: Int { 1 }
}

/// Runs workers as tasks, each pinned to one thread.
struct TaskMeasurement: Sendable {
    /// The executors of the workers, in turn.
    let executors: [any TaskExecutor]
    let workers: Int

    /// Samples per worker: what a second of the fastest operation needs, no more than 256 MB in all.
    private var capacity: Int { workers > 8 ? 750_000 : 6_000_000 }

    /// Runs `operation` in every worker until the time is over.
    func run(_ operation: some BenchOperation, seconds: Double, warmUp: Double) async -> Measured {
        let samples = (0..<workers).map { _ in Samples(capacity: capacity) }
        if warmUp > 0 {
            _ = await run(operation, seconds: warmUp, into: samples)
            for one in samples { one.reset() }
        }
        return await run(operation, seconds: seconds, into: samples)
    }

    private func run(_ operation: some BenchOperation, seconds: Double, into samples: [Samples]) async -> Measured {
        let start = MonotonicInstant.now
        let end = start.nanoseconds + UInt64(seconds * 1e9)
        let work = Work(operation: operation, end: end)
        let words = await withTaskGroup(of: String?.self) { group in
            for (number, one) in samples.enumerated() {
                group.addTask(executorPreference: executors[number % executors.count]) {
                    await work.run(worker: number, one)
                }
            }
            return await group.reduce(String?.none) { $0 ?? $1 }
        }
        return Measured(samples, seconds: start.duration(to: .now).seconds, firstError: words)
    }

    private struct Work<Operation: BenchOperation>: Sendable {
        let operation: Operation
        let end: UInt64

        /// Not inlined into the task's closure: there the compiler asks after every call for the executor to go back to,
        /// which costs as much as an acquire.
        ///
        /// - Returns: the words of the first failure.
        @inline(never)
        func run(worker: Int, _ samples: Samples) async -> String? {
            var keys = KeyStream(worker: worker)
            var failure: String?
            var untilYield = operation.yieldEvery
            while true {
                let start = MonotonicInstant.now.nanoseconds
                if start >= end { return failure }
                do {
                    let excluded = try await operation.run(&keys)
                    samples.add(
                        nanoseconds: MonotonicInstant.now.nanoseconds - start - excluded, operations: operation.weight)
                } catch {
                    samples.failed += 1
                    if failure == nil { failure = "\(error)" }
                }
                untilYield -= 1
                if untilYield == 0 {
                    untilYield = operation.yieldEvery
                    await Task.yield()
                }
            }
        }
    }
}
