/// The limits of a ``Batcher``. A value. The initialiser moves impossible numbers to the nearest possible one.
package struct BatcherConfiguration: Sendable, Equatable {
    /// Items that go together at the most.
    package var maxCount: Int
    /// How long an item waits for others to come with it.
    package var maxDelay: Duration
    /// Items that wait at the most; the next one is refused at once.
    package var maxQueued: Int
    /// Batches that run at the same time, each on a connection of its own. Two of them never hold the same key.
    package var maxInFlight: Int
    /// `allOrNothing`: one transaction, so one write to the log for all. When one item fails there the batch falls back, so
    /// that it does not fail the others.
    package var atomicity: BatchAtomicity

    package init(
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
package struct BatcherCounts: Sendable, Equatable {
    package var items = 0
    package var batches = 0
    /// Items that were refused because too many waited.
    package var refused = 0
    /// Items that left before they were sent.
    package var withdrawn = 0
    /// Batches of which an item failed, so that the others were run again.
    package var fallbacks = 0
    /// Batches that the server ended because of a deadlock.
    package var deadlocks = 0

    package init() {}
}
