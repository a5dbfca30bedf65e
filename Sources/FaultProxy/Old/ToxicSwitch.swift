import RigModel
import Synchronization
import Threading

/// The toxic that is set now, and what it has held so far. Thread-safe.
final class ToxicSwitch: Sendable {
    private struct State {
        var toxic: (any HoldingToxic)?
        /// Counts the toxics that were set.
        var epoch = 0
        var holds = LatencyHistogram()
    }

    private let state = Lock(State())
    /// Changes with every change of the toxic: one load tells a direction whether its copy is still right.
    private let changes = Atomic<Int>(0)

    var version: Int { changes.load(ordering: .acquiring) }

    /// Sets or replaces the toxic and starts its record anew.
    func set(_ toxic: any HoldingToxic) {
        state.withLock { state in
            state.toxic = toxic
            state.epoch += 1
            state.holds = LatencyHistogram()
            changes.add(1, ordering: .acquiringAndReleasing)
        }
    }

    /// The record is kept until the next ``set(_:)``.
    func remove() {
        state.withLock { state in
            state.toxic = nil
            changes.add(1, ordering: .acquiringAndReleasing)
        }
    }

    var current: (toxic: (any HoldingToxic)?, epoch: Int, version: Int) {
        state.withLock { ($0.toxic, $0.epoch, version) }
    }

    /// Notes how long a chunk was really held. Those of an earlier toxic are left out.
    func recordHold(_ hold: Duration, epoch: Int) {
        state.withLock { if $0.epoch == epoch { $0.holds.add(nanoseconds: hold.nanoseconds) } }
    }

    var holds: LatencyHistogram { state.withLock { $0.holds } }
}
