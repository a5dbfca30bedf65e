package import RigModel
import Synchronization
import Threading

/// What a toxic has done since it was added. Thread-safe.
package final class ToxicRecord: Sendable {
    package struct Counts: Sendable {
        /// Connections that it affected, ever.
        package var connections = 0
        /// Connections that it refused, and that it ended.
        package var refused = 0
        package var closed = 0
        /// Chunks that it held, and for how long really.
        package var holds = LatencyHistogram()
        package var heldBytes = 0
        package var swallowedBytes = 0

        package init() {}
    }

    private let counts = Lock(Counts())
    private let arrivals = Atomic<Int>(0)

    package init() {}

    package func add(_ change: (inout Counts) -> Void) { counts.withLock { change(&$0) } }

    /// A connection that the toxic affects is about to be opened.
    ///
    /// - Returns: how many came before it.
    package func noteArrival() -> Int { arrivals.add(1, ordering: .acquiringAndReleasing).oldValue }

    package var snapshot: Counts { counts.withLock { $0 } }
}
