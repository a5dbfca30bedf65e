import Threading

/// Counts, for defects that show only now and then. Thread-safe.
final class Tally: Sendable {
    private let count = Lock(0)

    /// The number of this call, from 1.
    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }

    /// Whether this is one of the first calls.
    func isWithin(_ limit: Int) -> Bool { next() <= limit }

    /// Whether this is every so-manieth call.
    func isEvery(_ period: Int) -> Bool { next().isMultiple(of: period) }
}

/// Waits although its task is cancelled: what a call without a limit does.
func sleepWhateverHappens(_ duration: Duration) async {
    await Task { try? await Task.sleep(for: duration) }.value
}

/// Longer than any trial.
let forever = Duration.seconds(3600)
