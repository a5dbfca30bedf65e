import Threading

/// Whether the user asked the run to stop, and by which signal. Thread-safe.
///
/// Not task cancellation: the run goes on after it, to heal, to clean up and to report.
package final class Interrupt: Sendable {
    private let signal = Lock<Int32?>(nil)

    package init() {}

    /// The first signal counts.
    package func raise(_ number: Int32) { signal.withLock { if $0 == nil { $0 = number } } }

    /// The signal's number, or `nil` while nobody asked.
    package var raised: Int32? { signal.withLock { $0 } }
}
