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
    public var items = 0
    public var batches = 0
    /// Items that were refused because too many waited.
    public var refused = 0
    /// Items that left before they were sent.
    public var withdrawn = 0
    /// Batches of which an item failed, so that the others were run again.
    public var fallbacks = 0
    /// Batches that the server ended because of a deadlock.
    public var deadlocks = 0

    public init() {}
}
