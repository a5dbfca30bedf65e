import RigModel

/// Where each operation in flight began, and no more: a cheaper ``OperationPairing`` for checkers that only want the time.
/// A mergeable fold over whole processes; memory grows with the operations in flight.
struct OpenOperations: Sendable, Equatable {
    private var begun: [Int: FaultTimeline.Moment] = [:]

    /// - Returns: where the operation began that this event ends; `nil` for every other event.
    mutating func observe(_ event: Event) -> FaultTimeline.Moment? {
        guard case .worker(let worker) = event.process else { return nil }
        switch event.kind {
        case .invoke:
            begun[worker] = FaultTimeline.Moment(index: event.index, time: event.time)
            return nil
        case .ok, .fail, .info: return begun.removeValue(forKey: worker)
        case .end: return nil
        }
    }

    /// When the first of those in flight began; `nil` when there are none.
    var earliest: Int64? { begun.values.map(\.time).min() }

    mutating func merge(_ other: OpenOperations) { begun.merge(other.begun) { max($0, $1) } }
}
