/// The limits of a ``Batcher``. A value. The initialiser moves impossible numbers to the nearest possible one.
public struct BatcherConfiguration: Sendable, Equatable {
    /// Items that go together at the most.
    public var maxCount: Int
    /// How long an item waits for others to come with it.
    public var maxDelay: Duration
    /// Items that wait at the most; the next one is refused at once.
    public var maxQueued: Int
    /// Batches that run at the same time, each on a connection of its own. Two of them never hold the same key.
    public var maxInFlight: Int
    /// `allOrNothing`: one transaction, so one write to the log for all. When one item fails there the batch falls back, so
    /// that it does not fail the others.
    public var atomicity: BatchAtomicity

    public init(
        maxCount: Int = 100, maxDelay: Duration = .milliseconds(2), maxQueued: Int = 10_000, maxInFlight: Int = 2,
        atomicity: BatchAtomicity = .allOrNothing
    ) {
        self.maxCount = max(1, maxCount)
        self.maxDelay = max(.zero, maxDelay)
        self.maxQueued = max(1, maxQueued)
        self.maxInFlight = max(1, maxInFlight)
        self.atomicity = atomicity
    }
}

/// What a batcher has done.
public struct BatcherCounts: Sendable, Equatable {
    /// Items that were taken into the queue, whatever became of them; counted when they are queued. Those that were refused
    /// are not among them.
    public var items = 0
    /// Batches that were taken from the queue to be sent; running the items of one again makes no other one.
    public var batches = 0
    /// Items that were not taken: because too many waited, or because the batcher was closed. A task that was cancelled before
    /// it could queue its item counts neither here nor in ``items``.
    public var refused = 0
    /// Of the items, those that left the queue before they were sent: their deadline passed or their task was cancelled.
    public var withdrawn = 0
    /// Batches of which an item failed, so that the others were run again. Counted once for each batch, at its end.
    public var fallbacks = 0
    /// Batches of which the server ended a run because of a deadlock. Counted once for each batch, at its end.
    public var deadlocks = 0

    public init() {}
}
