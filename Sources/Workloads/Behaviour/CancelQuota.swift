import RigModel
import Threading

extension ClientBehaviour.Cancel {
    /// Only some of the uses come to this moment, and which ones is known when they do: they are chosen then.
    var isByQuota: Bool { at == .queue || at == .connect || at == .check }
}

/// Counts how many cancels are wanted and have not come, where a use is chosen when it comes to its moment. Thread-safe.
package final class CancelQuota: Sendable {
    /// What was wanted while nobody came there is not made up for all at once: somebody must get through.
    private static let mostOutstanding = 8.0

    /// So many of them are late: nobody waits in this pool's queue.
    private static let overdue = 4.0

    private let share: Double
    private let outstanding = Lock(0.0)

    package init(share: Double) { self.share = share }

    /// A use begins.
    package func add() { outstanding.withLock { $0 = min($0 + share, Self.mostOutstanding) } }

    /// A use has come to the moment.
    ///
    /// - Returns: whether it is to be cancelled.
    package func take() -> Bool { take(beyond: 1) }

    /// A use asks for a connection, and may get one at once.
    ///
    /// - Returns: whether it is to be cancelled, because too few were that had to wait.
    package func takeOverdue() -> Bool { take(beyond: Self.overdue) }

    private func take(beyond limit: Double) -> Bool {
        outstanding.withLock { outstanding in
            guard outstanding >= limit else { return false }
            outstanding -= 1
            return true
        }
    }
}
