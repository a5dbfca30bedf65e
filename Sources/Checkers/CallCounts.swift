import RigModel

/// What the clients saw of the calls that a pool counts: how often at least, and how often at most. A mergeable fold in
/// constant memory.
struct CallCounts: Sendable {
    struct Range: Sendable, Equatable {
        var least = 0
        var most = 0

        mutating func add(_ least: Int, _ most: Int) {
            self.least += least
            self.most += most
        }
        mutating func merge(_ other: Range) { add(other.least, other.most) }
    }

    static let counters = ["acquireCount", "acquireTimeouts", "acquireCancelled", "retries"]
    /// Asking what became of a COMMIT takes acquires of its own, nobody says how many.
    private static let acquiresToAsk = 100

    private var acquired = Range()
    private var timedOut = Range()
    private var cancelled = Range()
    private var retried = Range()
    private var begun = 0
    private(set) var ended = 0

    mutating func observe(_ event: Event) {
        if event.process == .probe { return observeProbe(event) }
        guard case .worker = event.process else { return }
        if event.kind == .invoke { begun += 1 } else { ended += 1 }
        guard let completion = event.completion else { return }
        observe(completion)
    }

    mutating func merge(_ other: CallCounts) {
        acquired.merge(other.acquired)
        timedOut.merge(other.timedOut)
        cancelled.merge(other.cancelled)
        retried.merge(other.retried)
        begun += other.begun
        ended += other.ended
    }

    /// Operations without an end count as anything.
    func range(of counter: String) -> Range? {
        var range: Range
        switch counter {
        case "acquireCount": range = acquired
        case "acquireTimeouts": range = timedOut
        case "acquireCancelled": range = cancelled
        case "retries": range = retried
        default: return nil
        }
        range.most += max(0, begun - ended) * (OperationID.maxAttempt + 1)
        return range
    }

    private mutating func observe(_ completion: Completion) {
        let attempts = completion.attempts
        if attempts.isEmpty {
            retried.add(max(0, completion.attempt - 1), max(0, completion.attempt - 1))
            count(completion.error, hadConnection: completion.connection != nil)
        } else {
            retried.add(attempts.count - 1, attempts.count - 1)
            for attempt in attempts {
                count(attempt.error, hadConnection: true)
                if attempt.doubt != nil { acquired.add(0, Self.acquiresToAsk) }
            }
        }
        guard let notes = completion.notes else { return }
        if notes["nested"]?.boolValue == true {
            let times = max(1, attempts.count)
            acquired.add(0, times)
            timedOut.add(0, times)
            cancelled.add(0, times)
        }
        if notes["cancel"] != nil { cancelled.add(0, 1) }
    }

    /// One attempt: it got a connection, or an error says why it did not.
    private mutating func count(_ error: FailureDescription?, hadConnection: Bool) {
        guard let error, error.phase == .acquire || error.phase == .connect else {
            acquired.add(hadConnection ? 1 : 0, 1)
            return
        }
        switch error.failureClass {
        case FailureCause.timedOut.name: timedOut.add(error.phase == .acquire ? 1 : 0, 1)
        // One that was cancelled before it came to the queue is not counted by the pool.
        case FailureCause.cancelled.name: cancelled.add(0, 1)
        default: break
        }
    }

    /// The rig's own uses.
    private mutating func observeProbe(_ event: Event) {
        var uses = 0
        if event.function == "lone-use" { uses = 1 }
        if event.function == "all-at-once" { uses = Int(clamping: event.value["asked"]?.intValue ?? 0) }
        guard uses > 0 else { return }
        acquired.add(0, uses)
        timedOut.add(0, uses)
        cancelled.add(0, uses)
    }
}
