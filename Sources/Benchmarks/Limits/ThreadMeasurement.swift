import Threading

/// An operation that blocks its thread. Each thread makes one of its own.
protocol BlockingOperation: SendableMetatype {
    var weight: Int { get }
    mutating func run(_ keys: inout KeyStream) throws
}

extension BlockingOperation {
    var weight: Int { 1 }
}

/// Runs workers as threads, the way a program in C would.
struct ThreadMeasurement: Sendable {
    let workers: Int

    /// - Parameter make: called on each worker's thread before the time begins; what it throws ends the measurement.
    func run<Operation: BlockingOperation>(
        seconds: Double, make: @escaping @Sendable (_ worker: Int) throws -> Operation
    ) throws -> Measured {
        let samples = Samples.forWorkers(workers)
        let line = StartingLine(workers: workers)
        let failure = Lock<(any Error)?>(nil)
        let threads = samples.enumerated().map { number, one in
            ServiceThread(name: "limit-\(number)") {
                let made = Result { try make(number) }
                // Waits for the others in any case, or they would wait for ever.
                let end = line.arrive(seconds: seconds)
                do {
                    var operation = try made.get()
                    try Self.work(&operation, worker: number, until: end, one)
                } catch {
                    one.failed += 1
                    failure.withLock { $0 = $0 ?? error }
                }
            }
        }
        for thread in threads { thread.join() }
        if let failure = failure.withLock({ $0 }) { throw failure }
        return Measured(samples, seconds: line.start.duration(to: .now).seconds, firstError: nil)
    }

    private static func work(
        _ operation: inout some BlockingOperation, worker: Int, until end: UInt64, _ samples: Samples
    ) throws {
        var keys = KeyStream(worker: worker)
        var now: UInt64
        repeat {
            let start = MonotonicInstant.now.nanoseconds
            try operation.run(&keys)
            now = MonotonicInstant.now.nanoseconds
            samples.add(nanoseconds: now - start, operations: operation.weight)
        } while now < end
    }
}
