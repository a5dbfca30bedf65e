import ConnectionPool
import Threading

/// What many lives showed.
package struct ExplorationReport: Sendable {
    /// The first seed, and how many lives were lived to the end.
    package var firstSeed: UInt64 = 0
    package var seeds = 0
    /// Events in all of them, and transitions of the machine that came of these.
    package var steps = 0
    package var transitions = 0
    package var seconds = 0.0
    package var threads = 0
    package var coverage = SimulationCoverage()
    /// The sum over the seeds: the same seeds and steps give the same digest, on any number of threads.
    package var digest: UInt64 = 0
    /// The lowest seed whose life broke something.
    package var failure: Found?

    package struct Found: Sendable {
        package let seed: UInt64
        package let failure: SimulationFailure
        /// What happened, up to the failure.
        package let life: SimulatedLife
    }

    package init() {}
}

/// Lives the lives of many seeds, on several threads.
package struct Exploration: Sendable {
    package var firstSeed: UInt64
    package var seeds: Int
    /// Events in the middle of each life.
    package var steps: Int
    package var threads: Int
    /// Is kept up to date where there is one.
    package var inFlight: SeedsInFlight?

    package init(firstSeed: UInt64 = 1, seeds: Int, steps: Int = 400, threads: Int = 1) {
        self.firstSeed = firstSeed
        self.seeds = max(0, seeds)
        self.steps = max(0, steps)
        self.threads = max(1, threads)
    }

    /// Explores the real machine.
    ///
    /// - Parameter progress: is told now and then how many lives are over; on any thread.
    package func run(progress: @escaping @Sendable (Int) -> Void = { _ in }) async -> ExplorationReport {
        await run(on: realMachine, progress: progress)
    }

    /// Explores a machine until the first failure.
    package func run<Machine: SimulatedMachine>(
        on make: @escaping MachineMaker<Machine>, progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) async -> ExplorationReport {
        let startedAt = MonotonicInstant.now
        let shared = Shared(workers: threads, lastShownAt: startedAt)
        var workers: [ServiceThread] = []
        await withCheckedContinuation { continuation in
            for number in 0..<threads {
                workers.append(
                    ServiceThread(name: "simulate-\(number)") {
                        work(number, on: make, shared, progress)
                        let isLast = shared.books.withLock { shared in
                            shared.workers -= 1
                            return shared.workers == 0
                        }
                        if isLast { continuation.resume() }
                    })
            }
        }
        for worker in workers { worker.join() }
        var report = shared.books.withLock { $0.report }
        report.firstSeed = firstSeed
        report.threads = threads
        report.seconds = startedAt.duration(to: .now).seconds
        return report
    }

    private struct Books: Sendable {
        var workers: Int
        var lastShownAt: MonotonicInstant
        /// The offset of the next seed that nobody has taken.
        var next = 0
        var report = ExplorationReport()
    }

    /// What the threads share.
    private final class Shared: Sendable {
        let books: Lock<Books>

        init(workers: Int, lastShownAt: MonotonicInstant) {
            books = Lock(Books(workers: workers, lastShownAt: lastShownAt))
        }
    }

    /// Takes seeds until there are no more, or one below has failed.
    private func work<Machine: SimulatedMachine>(
        _ thread: Int, on make: @escaping MachineMaker<Machine>, _ shared: Shared, _ progress: @Sendable (Int) -> Void
    ) {
        var events: [SimulatedEvent] = []
        defer { inFlight?.set(thread, .max) }
        while true {
            let chunk = shared.books.withLock { shared -> Range<Int>? in
                let begin = shared.next
                guard begin < seeds, shared.report.failure == nil else { return nil }
                shared.next = min(seeds, begin + Self.chunk)
                return begin..<shared.next
            }
            guard let chunk else { return }
            var part = ExplorationReport()
            for offset in chunk {
                let seed = firstSeed &+ UInt64(offset)
                inFlight?.set(thread, seed)
                let record = SimulatedLife.draw(seed: seed, steps: steps, on: make, into: &events)
                part.seeds += 1
                part.steps += record.events
                part.transitions += record.transitions
                part.coverage.add(record.coverage)
                part.digest &+= record.digest &* (2 &* seed &+ 1)
                guard let failure = record.failure else { continue }
                let life = SimulatedLife(configuration: .drawn(seed: seed), machineSeed: seed, events: events)
                part.failure = ExplorationReport.Found(seed: seed, failure: failure, life: life)
                break
            }
            let done = shared.books.withLock { shared -> Int? in
                shared.report.add(part)
                let now = MonotonicInstant.now
                guard shared.lastShownAt.duration(to: now) >= Self.progressInterval else { return nil }
                shared.lastShownAt = now
                return shared.report.seeds
            }
            if let done { progress(done) }
        }
    }

    /// Seeds that a thread takes at a time. Whoever took lower ones before a failure finishes them, so the lowest wins.
    private static let chunk = 32
    private static let progressInterval = Duration.seconds(2)
}

extension ExplorationReport {
    fileprivate mutating func add(_ part: ExplorationReport) {
        seeds += part.seeds
        steps += part.steps
        transitions += part.transitions
        coverage.add(part.coverage)
        digest &+= part.digest
        guard let found = part.failure else { return }
        if failure.map({ found.seed < $0.seed }) ?? true { failure = found }
    }
}
