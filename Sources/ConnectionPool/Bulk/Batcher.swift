import RigModel
public import Threading

/// Groups single writes of many tasks by count and by delay, and sends each group as one pipelined batch.
///
/// Each caller gets the result of its own item. Thread-safe. End it with ``close()`` before its pool.
///
/// ```swift
/// let batcher = Batcher<PostgresDriver, Int64>(pool: pool)
/// // in many tasks:
/// let result = try await batcher.submit(
///     SQLStatement("update accounts set seen = now() where id = $1", [.int(id)], role: .write), key: id)
/// ```
///
/// `Key` says in which order items take their locks: normally the primary key of the row.
public final class Batcher<D: Driver, Key: Comparable & Hashable & Sendable>: Sendable {
    private typealias Answer = Result<SQLResult, DriverError>
    private typealias Queue = BatchQueue<Key, Item>

    private struct Item: Sendable {
        let statement: SQLStatement
        let reply: Reply<Answer?>
    }

    private struct State: Sendable {
        var queue: Queue
        var counts = BatcherCounts()
        var alarmAt: MonotonicInstant?
        var closing: [Reply<Void>] = []
    }

    private let pool: Pool<D>
    private let configuration: BatcherConfiguration
    private let site: BorrowSite
    private let state: Lock<State>
    private let alarm = Lock<(any PoolAlarm)?>(nil)

    /// - Parameter site: in whose name connections are borrowed.
    public init(
        pool: Pool<D>, configuration: BatcherConfiguration = BatcherConfiguration(), file: StaticString = #fileID,
        line: UInt = #line
    ) {
        self.pool = pool
        self.configuration = configuration
        site = BorrowSite(file: file, line: line)
        state = Lock(State(queue: BatchQueue(configuration)))
        let timer = pool.runtime.makeAlarm { [weak self] in
            self?.state.withLock { $0.alarmAt = nil }
            self?.send()
        }
        alarm.withLock { $0 = timer }
    }

    deinit { alarm.withLock { $0.take() }?.cancel() }

    public var counts: BatcherCounts { state.withLock { $0.counts } }

    /// Writes with the next batch.
    ///
    /// - Throws: ``DriverError``: the item's own failure; `poolRefused` when too many wait or the batcher is closed; `timedOut`
    ///   and `cancelled`, with `requestSent` saying whether its batch was under way: then it may have been applied.
    public func submit(
        _ statement: SQLStatement, key: Key, deadline: MonotonicInstant = .distantFuture
    ) async throws(DriverError) -> SQLResult {
        let runtime = pool.runtime
        if Task.isCancelled {
            throw DriverError(.cancelled, "cancelled before it was queued; nothing was written", requestSent: false)
        }
        let reply = Reply<Answer?>()
        let added = state.withLock { state in
            let added = state.queue.add(Item(statement: statement, reply: reply), key: key, now: runtime.now)
            if case .success = added { state.counts.items += 1 } else { state.counts.refused += 1 }
            return added
        }
        let number: Int
        switch added {
        case .success(let queued): number = queued
        case .failure(let refused): throw Self.error(refused.reason)
        }
        send()
        if let answer = await reply.wait(until: deadline, runtime, late: nil, cancelled: nil) {
            return try answer.get()
        }
        let isInTime = state.withLock { state in
            let isInTime = state.queue.withdraw(number)
            if isInTime { state.counts.withdrawn += 1 }
            return isInTime
        }
        // A place is free, and the oldest item may be another one now.
        send()
        throw DriverError(
            Task.isCancelled ? .cancelled : .timedOut,
            isInTime
                ? "it still waited for its batch; nothing was written, so it may be submitted again"
                : "its batch was under way, so it may have been applied; look whether it was before it is submitted again",
            requestSent: !isInTime)
    }

    /// Sends what waits now without waiting longer.
    public func flush() {
        state.withLock { $0.queue.flush() }
        send()
    }

    /// Takes no more items, sends what waits without waiting longer, and returns when all of it has ended. Each batch is
    /// bounded by the pool's own limits.
    ///
    /// When its task is cancelled it returns at once; the batcher is closed all the same, and what was queued still goes. May
    /// be called again, to wait for that.
    public func close() async {
        let reply = Reply<Void>()
        state.withLock { state in
            state.queue.close()
            state.closing.append(reply)
        }
        send()
        await reply.wait(until: .distantFuture, pool.runtime, late: (), cancelled: ())
        alarm.withLock { $0.take() }?.cancel()
    }

    private static func error(_ reason: Queue.Refusal) -> DriverError {
        switch reason {
        case .full(let limit):
            DriverError(
                .poolRefused,
                "\(limit) writes wait already, which is the limit (max queued); shed load, or raise it",
                requestSent: false)
        case .closed:
            DriverError(
                .poolRefused, "the batcher is closed; stop its users before it, or make a new one", requestSent: false)
        }
    }

    // MARK: Batches

    /// Starts every batch that is ready, and sets the alarm for the next one.
    private func send() {
        let now = pool.runtime.now
        var batches: [[Queue.Entry]] = []
        let (newAlarm, closed) = state.withLock { state -> (MonotonicInstant?, [Reply<Void>]) in
            while let batch = state.queue.takeBatch(now: now) {
                batches.append(batch)
                state.counts.batches += 1
            }
            var closed: [Reply<Void>] = []
            if state.queue.isClosed, state.queue.isEmpty { swap(&closed, &state.closing) }
            // An alarm that comes too early finds nothing to do, and sets the next one.
            guard let next = state.queue.nextAlarm, state.alarmAt.map({ next < $0 }) ?? true else {
                return (nil, closed)
            }
            state.alarmAt = next
            return (next, closed)
        }
        if let newAlarm { alarm.withLock { $0 }?.set(newAlarm) }
        for batch in batches {
            pool.runtime.run(near: -1) {
                await self.run(batch)
                self.state.withLock { $0.queue.end(batch) }
                self.send()
            }
        }
        for reply in closed { reply.send(()) }
    }

    private func run(_ batch: [Queue.Entry]) async {
        var fallback = BatchFallback(count: batch.count, atomicity: configuration.atomicity)
        while case .run(let items, let atomicity) = fallback.next {
            fallback.take(await execute(items.map { batch[$0].item.statement }, atomicity))
        }
        state.withLock { state in
            if fallback.fellBack { state.counts.fallbacks += 1 }
            if fallback.sawDeadlock { state.counts.deadlocks += 1 }
        }
        for (entry, result) in zip(batch, fallback.results) { entry.item.reply.send(result) }
    }

    private func execute(_ statements: [SQLStatement], _ atomicity: BatchAtomicity) async -> [Answer] {
        do throws(PoolError) {
            let lease = try await pool.acquire(site: site)
            let results = await lease.execute(batch: statements, atomicity: atomicity)
            lease.release()
            return results
        } catch {
            let failure = DriverError(error.cause, error.description, requestSent: false)
            return statements.map { _ in .failure(failure) }
        }
    }
}
